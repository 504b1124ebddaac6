/** Estimates → docs/cost.md. */
import type { Counts } from './count.ts'
import { type Line, linesOf, usageOf } from './estimate.ts'
import { ASSUMPTIONS, WORKLOADS } from './model.ts'
import { PRICES, PRICES_AS_OF, PRICES_REGION, type PriceName } from './prices.ts'

const GROUPS: readonly (readonly [title: string, names: readonly PriceName[]])[] = [
  ['API Gateway, data out', ['httpRequest', 'egressGiB']],
  ['Lambda', ['lambdaRequest', 'lambdaGiBSecond']],
  ['DynamoDB with point-in-time recovery', ['tableWrite', 'tableRead', 'tableGiBMonth', 'tableRecoveryGiBMonth']],
  ['S3', ['objectWrite', 'objectRead', 'objectGiBMonth', 'coldGiBMonth']],
  ['SQS', ['queueRequest']],
  ['Interface endpoints', ['endpointHour']],
  ['Alarms, dashboard, metrics', ['alarm', 'dashboard', 'customMetric']],
  ['Logs and traces', ['logGiB', 'logGiBMonth', 'trace']],
  ['Keys and secrets', ['key', 'keyRequest', 'secret', 'secretRequest']],
]

const dollars = (usd: number) => usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const sum = (lines: readonly Line[]) => lines.reduce((total, { usd }) => total + usd, 0)
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

function costTable(counts: Counts): string {
  const estimates = WORKLOADS.map((workload) => linesOf(usageOf(counts, workload)))
  const inGroup = (names: readonly PriceName[]) =>
    estimates.map((lines) => dollars(sum(lines.filter(({ name }) => names.includes(name)))))
  return [
    row(['USD a month', ...WORKLOADS.map(({ name }) => name)]),
    row(['---', ...WORKLOADS.map(() => '---:')]),
    ...GROUPS.map(([title, names]) => row([title, ...inGroup(names)])),
    row(['**all**', ...estimates.map((lines) => `**${dollars(sum(lines))}**`)]),
  ].join('\n')
}

function priceTable(): string {
  return [
    row(['what', 'USD', 'for', 'published at']),
    row(['---', '---:', '---', '---']),
    ...Object.entries(PRICES).map(([name, { usd, per, unit, page }]) =>
      row([`\`${name}\``, String(usd), `${per === 1 ? '1' : per.toLocaleString('en-US')} ${unit}`, page]),
    ),
  ].join('\n')
}

function assumptionTable(): string {
  return [
    row(['assumption', 'value']),
    row(['---', '---:']),
    ...Object.entries(ASSUMPTIONS).map(([name, value]) => row([`\`${name}\``, value.toLocaleString('en-US')])),
  ].join('\n')
}

export function groupedNames(): readonly PriceName[] {
  return GROUPS.flatMap(([, names]) => names)
}

export function renderCost(counts: Counts): string {
  return `# What a month costs

<!-- Written by \`npm run cost\` from the synthesized templates, test/support/cost/prices.ts and test/support/cost/model.ts. -->

The environment is \`config/prod.ts\`: ${counts.keys} keys, ${counts.secrets} secrets, ${counts.alarms} alarms, ${counts.queues} queues with pollers,
${counts.everyMinute.length} functions that run every minute, two interface endpoints in ${counts.endpointZones / 2} zones. Your database and its proxy are not in it,
nor is tax, support or what a free tier takes off.

${costTable(counts)}

## What to do about it

- **Interface endpoints** are the largest part of an idle environment. Where the VPC has them already, or a way out, say
  \`network.endpoints: 'existing'\`. One zone in place of three costs a third.
- **Alarms** cost by the piece; each one is about something that somebody must do.
- **DynamoDB writes** lead from some millions of queries on: every statement is written down before and after it runs. That is
  the product, so it is not offered as a switch.
- **Snapshots** go to colder storage with \`snapshots.coldAfterDays\`; Glacier Instant Retrieval is read like any other object, has a
  minimum of 90 days, and bills reads by the GiB, which a restore of everything should reckon with.

## Unit prices

List prices of ${PRICES_REGION} as known on ${PRICES_AS_OF}. They are inputs and nothing fetched them: check them with the AWS Pricing
Calculator, and for your region, before you rely on a figure.

${priceTable()}

## Assumptions

What a template does not say. Units of the table are those of [scale](scale.md); durations are what Lambda bills; replace them by your own from the dashboard, and run
\`npm run cost\` again.

${assumptionTable()}
`
}
