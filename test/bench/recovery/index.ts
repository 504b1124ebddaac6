/** Capture and restore of large tables beside PostgreSQL's own tools, plain COPY and DuckDB, in the same run on the same server. */
import { type BenchReport, type Figure, quantile, type Table } from '../report.ts'
import { findSystemBinaries, PEER_NAMES, type PeerName } from './contenders.ts'
import { type Entry, type Outcome, runContest } from './contest.ts'
import { openDuckDb } from './duckdb.ts'
import type { Run, Skipped } from './model.ts'
import { SHAPES } from './shapes.ts'

export { PEER_NAMES } from './contenders.ts'
export const SHAPE_NAMES: readonly string[] = SHAPES.map(({ name }) => name)

const MIB = 1024 * 1024
const LARGE_ROWS = 5_000_000

export interface RecoveryBenchOptions {
  /** Sizes of the tables; 1 and 10 million when absent. */
  readonly rowCounts?: readonly number[]
  /** Five, and two for tables of more than five million rows, when absent. */
  readonly rounds?: number
  /** Names of `SHAPES`; all when absent. */
  readonly shapes?: readonly string[]
  /** Who takes part beside this product; all who can when absent. */
  readonly peers?: readonly PeerName[]
}

/** `peersFolder`: where contenders that are not installed are installed. */
export async function benchRecovery(peersFolder: string, options: RecoveryBenchOptions = {}): Promise<BenchReport> {
  const { rowCounts = [1_000_000, 10_000_000], shapes = SHAPE_NAMES, peers: names = PEER_NAMES } = options
  const tools = findSystemBinaries()
  const duck = tools === undefined || !names.includes('duckdb') ? undefined : openDuckDb(peersFolder)
  const outcomes: Outcome[] = []
  for (const rowCount of rowCounts) {
    for (const shape of SHAPES.filter(({ name }) => shapes.includes(name))) {
      const onStep = (what: string) => process.stderr.write(`${shape.name}, ${rowCount} rows: ${what}\n`)
      const rounds = options.rounds ?? (rowCount > LARGE_ROWS ? 2 : 5)
      const peers = {
        ...(tools === undefined ? {} : { tools }),
        ...(duck === undefined || 'reason' in duck ? {} : { duck }),
      }
      outcomes.push(await runContest({ shape, rowCount, rounds, onStep, names, ...peers }))
    }
  }
  const server = outcomes[0]?.server ?? 'no server'
  return {
    name: `recovery (${server}, fsync off, whole processes, medians of the rounds)`,
    figures: outcomes.flatMap(figuresOf),
    tables: outcomes.map(tableOf),
    skipped: skippedOf(tools, duck),
  }
}

function skippedOf(tools: string | undefined, duck: ReturnType<typeof openDuckDb> | undefined): Skipped[] {
  if (tools === undefined) {
    return [
      { what: 'pg_dump, pg_restore, COPY by psql, DuckDB', reason: 'the programs of PostgreSQL are not installed' },
    ]
  }
  return duck !== undefined && 'reason' in duck ? [duck] : []
}

/** Ours through the peer's of the same round, so that a busy moment weighs on both; the median of the rounds. */
function ratioOf(ours: readonly Run[], theirs: readonly Run[]): number {
  return quantile(
    ours.map(({ ms }, round) => ms / (theirs[round]?.ms ?? Number.NaN)),
    0.5,
  )
}

function medianSeconds(runs: readonly Run[]): number {
  return (
    quantile(
      runs.map(({ ms }) => ms),
      0.5,
    ) / 1000
  )
}

function peakMiB(runs: readonly Run[]): number {
  return Math.max(...runs.map(({ rssMiB }) => rssMiB))
}

function figuresOf({ shape, rowCount, entries }: Outcome): readonly Figure[] {
  const [ours, ...peers] = entries
  const native = peers.find(({ contender }) => contender.isNative === true)
  if (ours === undefined) return []
  const of = (work: 'captures' | 'restores', peer: string): Figure => ({
    what: `${work === 'captures' ? 'capture' : 'restore'} ${shape.name} ${rowCount / 1_000_000}M`,
    value: medianSeconds(ours[work]),
    unit: 's',
    note: `peak ${peakMiB(ours[work]).toFixed(0)} MiB`,
    ...(native === undefined ? {} : { ratio: { of: peer, value: ratioOf(ours[work], native[work]) } }),
  })
  return [of('captures', 'pg_dump -Fc'), of('restores', 'pg_restore')]
}

function tableOf({ shape, rowCount, tableBytes, entries }: Outcome): Table {
  const [ours] = entries
  const rowOf = ({ contender, captures, restores, sizeBytes }: Entry): readonly string[] => {
    const ratio = (work: 'captures' | 'restores', runs: readonly Run[]) =>
      ours === undefined || contender === ours.contender ? '' : `${ratioOf(ours[work], runs).toFixed(2)} ×`
    return [
      contender.name,
      `${medianSeconds(captures).toFixed(2)} s`,
      ratio('captures', captures),
      `${peakMiB(captures).toFixed(0)} MiB`,
      `${(sizeBytes / MIB).toFixed(1)} MiB`,
      `${medianSeconds(restores).toFixed(2)} s`,
      ratio('restores', restores),
      `${peakMiB(restores).toFixed(0)} MiB`,
      `${contender.capture}; ${contender.restore}`,
    ]
  }
  const rounds = ours?.captures.length ?? 0
  return {
    title: `${shape.name}: ${rowCount.toLocaleString('en')} rows, ${shape.what}, ${(tableBytes / MIB).toFixed(0)} MiB, ${rounds} rounds`,
    columns: ['', 'capture', 'ours through it', 'peak', 'kept', 'restore', 'ours through it', 'peak', 'does'],
    rows: entries.map(rowOf),
  }
}
