/** Results of the contract suites → one row for each port, runtime and adapter, and what is missing or wrong. */

export const RUNTIMES = ['embedded', 'aws'] as const
export type Runtime = (typeof RUNTIMES)[number]

/** Titles of suites begin with these words. `either`: one adapter serves both runtimes, so that one side is enough. */
export const PORTS: readonly { readonly title: string; readonly port: string; readonly sides: 'both' | 'either' }[] = [
  { title: 'record store', port: 'RecordStore', sides: 'both' },
  { title: 'object store', port: 'ObjectStore', sides: 'both' },
  { title: 'work queue', port: 'WorkQueue', sides: 'both' },
  { title: 'notifier', port: 'Notifier', sides: 'both' },
  { title: 'secrets', port: 'Secrets', sides: 'both' },
  { title: 'key ring', port: 'KeyRing', sides: 'both' },
  { title: 'schedule', port: 'Schedule', sides: 'both' },
  { title: 'clock', port: 'Clock', sides: 'either' },
  { title: 'random', port: 'Random', sides: 'either' },
]

/** What is used of Vitest's JSON report. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
    }[]
  }[]
}

export interface Row {
  readonly port: string
  readonly runtime: Runtime
  readonly adapter: string
  readonly cases: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface Table {
  readonly rows: readonly Row[]
  /** Cases of a port that run, word for word, in both runtimes. */
  readonly sharedCases: Readonly<Record<string, number>>
  readonly problems: readonly string[]
}

interface Case {
  readonly port: string
  readonly runtime: Runtime
  readonly adapter: string
  readonly title: string
  readonly status: string
}

/** Invariants: no port passes without a case that ran and passed on each side that it needs, one of them in common */
export function buildContractTable(reports: Readonly<Record<Runtime, Report>>): Table {
  const cases = RUNTIMES.flatMap((runtime) => readCases(reports[runtime], runtime))
  const rows = buildRows(cases)
  const sharedCases = Object.fromEntries(PORTS.map(({ port }) => [port, countShared(cases, port)]))
  const problems = [
    ...RUNTIMES.flatMap((runtime) => findBroken(reports[runtime])),
    ...PORTS.flatMap((entry) => findMissing(entry, rows, sharedCases)),
    ...rows.filter(({ failed }) => failed > 0).map((row) => `${row.port}, ${row.adapter}: ${row.failed} failed`),
  ]
  return { rows, sharedCases, problems }
}

function readCases(report: Report, runtime: Runtime): readonly Case[] {
  return report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ ancestorTitles, title, status }) => {
      const [suite = ''] = ancestorTitles
      const found = PORTS.find((entry) => suite.startsWith(`${entry.title}: `))
      if (found === undefined) return []
      return [{ port: found.port, runtime, adapter: suite.slice(found.title.length + 2), title, status }]
    }),
  )
}

function buildRows(cases: readonly Case[]): readonly Row[] {
  const suites = Map.groupBy(cases, ({ port, runtime, adapter }) => JSON.stringify([port, runtime, adapter]))
  const order = PORTS.map(({ port }) => port)
  return [...suites.values()]
    .map((suite) => buildRow(suite))
    .sort((left, right) => order.indexOf(left.port) - order.indexOf(right.port))
}

function buildRow(suite: readonly Case[]): Row {
  const { port, runtime, adapter } = suite[0] as Case
  const passed = suite.filter(({ status }) => status === 'passed').length
  const failed = suite.filter(({ status }) => status === 'failed').length
  return { port, runtime, adapter, cases: suite.length, passed, failed, skipped: suite.length - passed - failed }
}

function countShared(cases: readonly Case[], port: string): number {
  const [embedded, aws] = RUNTIMES.map(
    (runtime) => new Set(cases.filter((one) => one.port === port && one.runtime === runtime).map(({ title }) => title)),
  ) as [Set<string>, Set<string>]
  return [...embedded].filter((title) => aws.has(title)).length
}

function findMissing(
  { port, title, sides }: (typeof PORTS)[number],
  rows: readonly Row[],
  sharedCases: Readonly<Record<string, number>>,
): readonly string[] {
  const isKept = (runtime: Runtime) =>
    rows.some((row) => row.port === port && row.runtime === runtime && row.passed > 0)
  const without = RUNTIMES.filter((runtime) => !isKept(runtime))
  const wanted = `a suite whose title begins with "${title}: "`
  if (sides === 'either')
    return without.length === RUNTIMES.length ? [`${port}: no case passed on either side, write ${wanted}`] : []
  if (without.length > 0)
    return without.map((runtime) => `${port}: no case passed on the ${runtime} side, write ${wanted}`)
  return sharedCases[port] === 0 ? [`${port}: its two sides share no case, run one suite over both`] : []
}

/** A file that could not even be loaded reports no case at all. */
function findBroken(report: Report): readonly string[] {
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
  )
  return broken.map(({ name, message }) => `${name}: ${(message ?? '').split('\n')[0] || 'it could not be run'}`)
}

const HEADINGS = ['port', 'runtime', 'adapter', 'cases', 'passed', 'failed', 'skipped'] as const

export function renderContractTable({ rows, sharedCases, problems }: Table): string {
  const cells = rows.map((row) => HEADINGS.map((heading) => String(row[heading])))
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, column))
      .join('  ')
      .trimEnd()
  const shared = Object.entries(sharedCases).filter(([, count]) => count > 0)
  return [
    line(HEADINGS),
    line(widths.map((width) => '-'.repeat(width))),
    ...cells.map(line),
    '',
    `cases that run on both sides: ${shared.map(([port, count]) => `${port} ${count}`).join(', ') || 'none'}`,
    ...rows.filter(({ passed }) => passed === 0).map((row) => `NOT RUN  ${row.port}, ${row.adapter}: no case passed`),
    ...problems.map((problem) => `PROBLEM  ${problem}`),
    problems.length === 0
      ? `every port is kept on both sides: ${total(rows)} cases passed`
      : `${problems.length} problems`,
  ].join('\n')
}

function pad(cell: string, width: number, column: number): string {
  return column < 3 ? cell.padEnd(width) : cell.padStart(width)
}

function total(rows: readonly Row[]): number {
  return rows.reduce((sum, { passed }) => sum + passed, 0)
}
