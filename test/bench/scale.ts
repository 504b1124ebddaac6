/** What 10,000 agents meet on AWS: measured costs and rates of the decision path, and a model of everything around it. */
import type { BenchReport, Figure, Table } from './report.ts'
import { quantile } from './report.ts'
import type { MeasuredCosts, StatementKind } from './scale-costs.ts'
import { measureCosts } from './scale-costs.ts'
import type { Latencies, Outcome, Scenario, StatementCosts } from './scale-model.ts'
import { simulate } from './scale-model.ts'
import { measurePath } from './scale-real.ts'
import { SCENARIOS } from './scale-scenarios.ts'

/** Assumed. One region, one availability zone away; see docs/scale.md. */
const LATENCIES: Latencies = {
  coldStartMs: 900,
  connectMs: 60,
  authorizerMs: 12,
  transactionMs: 12,
  roundTripMs: 1,
  databaseCpuMs: 1,
}

export async function benchScale(): Promise<BenchReport> {
  const path = await measurePath()
  const costs = await measureCosts()
  const cpuMs = Math.min(...path.map((one) => one.cpuMs))
  const figures: Figure[] = path.flatMap(({ callers, perSecond, p50Ms, p95Ms, cpuMs: oneCpuMs }) => [
    { what: `real path, ${callers} callers: rate`, value: perSecond, unit: 'statements/s' },
    { what: `real path, ${callers} callers: p50`, value: p50Ms, unit: 'ms' },
    { what: `real path, ${callers} callers: p95`, value: p95Ms, unit: 'ms' },
    { what: `real path, ${callers} callers: processor`, value: oneCpuMs, unit: 'ms/statement' },
  ])
  const outcomes = SCENARIOS.map((scenario) => [scenario, simulate(scenario, { ...costs, cpuMs }, LATENCIES)] as const)
  return {
    name: 'scale: the gate over the DynamoDB adapter, and 10,000 agents modelled on its costs',
    figures,
    skipped: [],
    tables: [costTable(costs), limitTable(costs), scenarioTable(outcomes)],
  }
}

function costTable({ kinds }: MeasuredCosts): Table {
  const row = ({ name, writes, reads }: StatementKind) => {
    const total = writes.table + writes.index1 + writes.index2
    return [name, writes.table, writes.index1, writes.index2, total, reads].map(String)
  }
  return {
    title: 'Counted from what is written: DynamoDB units of one statement, its ledger entries sealed',
    columns: ['statement', 'table', 'index1', 'index2', 'write units', 'read units'],
    rows: kinds.map(row),
  }
}

/** How many SAFE reads a second each partition family takes before its partitions are full. */
function limitTable({ begin, finish, seal }: StatementCosts | MeasuredCosts): Table {
  const units = (name: 'open' | 'unsealed' | 'timeline' | 'table') => begin[name] + finish[name] + seal[name]
  const whole = units('table') + units('open')
  const row = (what: string, each: number, capacity: number) => [
    what,
    String(each),
    String(capacity),
    Math.floor(capacity / each).toLocaleString('en'),
  ]
  return {
    title: 'Limits that follow: SAFE reads a second',
    columns: ['what', 'units each', 'units a second', 'statements a second'],
    rows: [
      row('a new on-demand table', whole, 4_000),
      row('timeline, 4 partitions', units('timeline'), 4 * 1_000),
      row('table, default quota', whole, 40_000),
      row('open events, 16 partitions (4: 1,000)', units('open'), 16 * 1_000),
      row('unsealed entries, 16 partitions (4: 1,000)', units('unsealed'), 16 * 1_000),
    ],
  }
}

function scenarioTable(outcomes: readonly (readonly [Scenario, Outcome])[]): Table {
  const ms = (samples: readonly number[], p: number) =>
    samples.length === 0 ? '–' : Math.round(quantile(samples, p)).toLocaleString('en')
  const row = ([scenario, outcome]: readonly [Scenario, Outcome]) => {
    const { refused } = outcome
    const asked = outcome.offeredPerSecond * scenario.durationS
    const share = (count: number) =>
      count === 0 ? '0' : `${((100 * count) / asked).toFixed(count / asked < 0.01 ? 2 : 1)} %`
    return [
      scenario.name,
      Math.round(outcome.offeredPerSecond).toLocaleString('en'),
      Math.round(outcome.answeredPerSecond).toLocaleString('en'),
      ms(outcome.latenciesMs, 0.5),
      ms(outcome.latenciesMs, 0.95),
      ms(outcome.latenciesMs, 0.99),
      outcome.instances.toLocaleString('en'),
      share(refused.api),
      share(refused.lambda),
      share(refused.connections),
      share(refused.records),
      outcome.throttledWrites.toLocaleString('en'),
    ]
  }
  return {
    title: 'Modelled: what agents meet (refusals as shares of what was asked)',
    columns: [
      'scenario',
      'asked/s',
      'answered/s',
      'p50 ms',
      'p95 ms',
      'p99 ms',
      'instances',
      'API 429',
      'no instance',
      'no connection',
      'no record',
      'throttled writes',
    ],
    rows: outcomes.map(row),
  }
}
