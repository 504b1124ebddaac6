/** What must hold after a kill, checked against the database, the stores and what the client was told. */
import { createHash } from 'node:crypto'
import type { Client } from 'pg'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { DEFAULT_RETENTION_DAYS, verifyLedger } from '#lib/gate/audit/index.ts'
import type { ObjectStore, RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import { openRecovery, type Recovery } from '#lib/recovery/index.ts'
import { openMetadata, openStorage, type RuntimeConfig } from '#lib/runtime/index.ts'
import { TOKENS } from '#test/support/product.ts'
import { type Known, QUEUE_ROWS, type Round, resume, victimOf } from './job.ts'
import type { ProductProcess } from './process.ts'

export interface Stores {
  readonly records: RecordStore & { close(): Promise<void> }
  readonly objects: ObjectStore
}

export interface Findings {
  readonly approvals: number
  readonly segments: number
  readonly entries: number
  readonly unknownEvents: number
  readonly validPoints: number
  readonly wasDropped: boolean
  /** Empty when all is well. */
  readonly problems: readonly string[]
}

// biome-ignore lint/suspicious/noExplicitAny: listings are looked at member by member
type Item = any

export async function openStores(config: RuntimeConfig): Promise<Stores> {
  return { records: await openMetadata(config.metadataPath), objects: await openStorage(config.storageUrl) }
}

async function listAll(product: ProductProcess, path: string): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | undefined
  do {
    const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const response = await fetch(`${product.url}${path}?limit=200${query}`, {
      headers: { authorization: `Bearer ${TOKENS.admin}` },
    })
    const body = (await response.json()) as Item
    if (response.status !== 200) throw new Error(`${path} answers ${response.status}: ${JSON.stringify(body)}`)
    items.push(...(body.items ?? body.entries ?? body))
    cursor = body.cursor ?? undefined
  } while (cursor !== undefined)
  return items
}

/** The members that each state must and must not have. */
const HISTORY: Readonly<Record<string, { readonly decided: boolean | undefined; readonly consumed: boolean }>> = {
  pending: { decided: false, consumed: false },
  approved: { decided: true, consumed: false },
  denied: { decided: true, consumed: false },
  expired: { decided: undefined, consumed: false },
  consumed: { decided: true, consumed: true },
}

function approvalProblems(item: Item): string[] {
  const rule = HISTORY[item.status]
  if (rule === undefined) return [`${item.id} is in no known state: ${item.status}`]
  const isDecided = item.decided_at !== null
  const isConsumed = item.consumed_at !== null && item.audit_id !== null
  const problems: string[] = []
  if (rule.decided !== undefined && rule.decided !== isDecided)
    problems.push(`${item.id} ${item.status}: decision ${isDecided}`)
  if (rule.consumed !== isConsumed) problems.push(`${item.id} ${item.status}: use ${isConsumed}`)
  return problems
}

/** What was acknowledged to the client must be so. */
function knownProblems(known: Known, hasEffect: boolean, approvals: ReadonlyMap<string, Item>): string[] {
  const { approvalId } = known
  if (approvalId === undefined) return hasEffect ? [`an effect without any approval: ${known.sql}`] : []
  const state = approvals.get(approvalId)?.status
  const problems: string[] = []
  if (state === undefined) problems.push(`${approvalId} was acknowledged and is gone`)
  if (known.isApproved && !['approved', 'consumed'].includes(state))
    problems.push(`${approvalId} was approved and is ${state}`)
  if (hasEffect && state !== 'consumed')
    problems.push(`${approvalId} is ${state}, and its statement has had its effect`)
  if (known.answered === 'executed' && !hasEffect)
    problems.push(`${approvalId} was answered executed, without an effect`)
  return problems
}

async function eventProblems(product: ProductProcess, round: Round, approvals: ReadonlyMap<string, Item>) {
  const events = await listAll(product, '/metadata/audit')
  const byId = new Map(events.map((event) => [event.id, event]))
  const problems: string[] = []
  for (const event of events) if (event.outcome === null) problems.push(`${event.id} is still open`)
  for (const known of [round.deletion, round.drop]) {
    if (known.auditId === undefined) continue
    const outcome = byId.get(known.auditId)?.outcome
    if (outcome !== known.answered)
      problems.push(`${known.auditId} says ${outcome}, the client was told ${known.answered}`)
  }
  for (const approval of approvals.values()) {
    if (approval.status !== 'consumed') continue
    const outcome = byId.get(approval.audit_id)?.outcome
    if (!['executed', 'failed', 'unknown'].includes(outcome))
      problems.push(`${approval.id} was used, and its event says ${outcome}`)
  }
  return { problems, unknownEvents: events.filter((event) => event.outcome === 'unknown').length }
}

/** Every valid point is read from end to end: manifest against the catalog's digest, parts against the manifest's. */
async function pointProblems(stores: Stores, recovery: Recovery, points: readonly RecoveryPoint[]): Promise<string[]> {
  const problems: string[] = []
  for (const point of points) {
    try {
      const { manifest } = await recovery.readManifest(point.snapshotId)
      let rowCount = 0
      for (const part of manifest.parts) {
        const sha256 = createHash('sha256')
          .update(await stores.objects.read(part.key))
          .digest('hex')
        if (sha256 !== part.sha256) problems.push(`${point.snapshotId}: ${part.key} is not what the manifest says`)
        rowCount += part.rowCount
      }
      if (rowCount !== point.rowCount)
        problems.push(`${point.snapshotId}: ${rowCount} rows instead of ${point.rowCount}`)
    } catch (error) {
      problems.push(`${point.snapshotId} is listed valid and cannot be read: ${(error as Error).message}`)
    }
  }
  return problems
}

async function listPoints(recovery: Recovery): Promise<RecoveryPoint[]> {
  const points: RecoveryPoint[] = []
  let cursor: string | undefined
  do {
    const page = await recovery.list(cursor === undefined ? { limit: 200 } : { limit: 200, cursor })
    points.push(...page.points)
    cursor = page.cursor
  } while (cursor !== undefined)
  return points
}

/** The dropped table, restored from its final point, against the rows that the database had acknowledged. */
async function lossProblems(
  product: ProductProcess,
  client: Client,
  round: Round,
  points: readonly RecoveryPoint[],
): Promise<string[]> {
  const table = victimOf(round.number)
  const finals = points.filter((point) => point.relation.name === table && point.origin === 'final')
  const point = finals.find((one) => one.status === 'valid' && one.rowCount === round.victimRows.count)
  if (point === undefined) {
    const listed = finals.map((one) => `${one.status} ${one.rowCount}`).join(', ')
    return [`${table} was dropped with ${round.victimRows.count} rows; final points: ${listed || 'none'}`]
  }
  const target = `${table}_proof`
  const answer = await product.restore(point.snapshotId, target)
  if (answer.error !== undefined) return [`${table} cannot be restored: ${answer.error}`]
  const rows = await client.query<{ wrong: number; all: number }>(`
    SELECT count(*) FILTER (WHERE t.id IS NULL OR e.i IS NULL)::int AS wrong, count(*)::int AS all
    FROM ${target} t FULL JOIN generate_series(1, ${round.victimRows.count}) e(i) ON t.id = e.i AND t.text = 'row ' || e.i`)
  const { wrong, all } = rows.rows[0] ?? { wrong: -1, all: -1 }
  return wrong === 0 && all === round.victimRows.count
    ? []
    : [`${table}: ${wrong} of ${all} rows differ after the restore`]
}

async function readEffects(client: Client, round: Round) {
  const { rows } = await client.query<{ runs: number; rows: number; left: number; gone: boolean }>(`
    SELECT (SELECT count(*)::int FROM executions WHERE round = ${round.number}) AS runs,
           (SELECT coalesce(sum(rows), 0)::int FROM executions WHERE round = ${round.number}) AS rows,
           (SELECT count(*)::int FROM queue_${round.number}) AS left,
           to_regclass('${victimOf(round.number)}') IS NULL AS gone`)
  return rows[0] ?? { runs: -1, rows: -1, left: -1, gone: false }
}

/** Send both statements again; whatever comes of it, no effect happens twice. */
export async function resumeRound(product: ProductProcess, client: Client, round: Round): Promise<string[]> {
  const states = new Map(
    (await listAll(product, '/approvals')).map((item) => [item.id as string, item.status as string]),
  )
  const stateOf = (known: Known) => (known.approvalId === undefined ? undefined : states.get(known.approvalId))
  const problems = [
    ...(await resume(product, round.deletion, stateOf(round.deletion))),
    ...(await resume(product, round.drop, stateOf(round.drop))),
  ]
  const { runs, rows, left } = await readEffects(client, round)
  if (runs > 1 || rows + left !== QUEUE_ROWS)
    problems.push(`after the resumption: ${runs} runs, ${rows} moved, ${left} left`)
  return problems
}

/** Look at everything once the product runs again. Effects: restores a dropped table into a proof table. */
export async function inspect(
  product: ProductProcess,
  stores: Stores,
  client: Client,
  round: Round,
  databaseUrl: string,
): Promise<Findings> {
  const database = openPostgres({ url: databaseUrl, applicationName: 'inspector' })
  try {
    const ports = { ...stores, clock: systemClock, random: systemRandom }
    const recovery = openRecovery({ ...ports, database, columnar: parquet })
    const effects = await readEffects(client, round)
    const approvals = new Map((await listAll(product, '/approvals')).map((item) => [item.id as string, item]))
    const events = await eventProblems(product, round, approvals)
    const ledger = await verifyLedger({ ...ports, environment: 'local', retentionDays: DEFAULT_RETENTION_DAYS })
    const points = await listPoints(recovery)
    const valid = points.filter((point) => point.status === 'valid')
    const scan = await recovery.scan()
    const listed = new Set(points.map((point) => point.snapshotId))
    const problems = [
      ...[...approvals.values()].flatMap(approvalProblems),
      ...knownProblems(round.deletion, effects.runs > 0, approvals),
      ...knownProblems(round.drop, effects.gone, approvals),
      ...(effects.runs > 1 ? [`the deletion ran ${effects.runs} times`] : []),
      ...(effects.rows + effects.left === QUEUE_ROWS ? [] : [`${effects.rows} rows moved and ${effects.left} left`]),
      ...events.problems,
      ...ledger.problems.map((problem) => `ledger: ${problem.code} ${problem.subject}`),
      ...(await pointProblems(stores, recovery, valid)),
      ...scan.problems.filter((one) => one.code !== 'NO_MANIFEST').map((one) => `storage: ${one.code} ${one.key}`),
      ...(effects.gone ? await lossProblems(product, client, round, points) : []),
    ]
    return {
      approvals: approvals.size,
      segments: ledger.checked.segments,
      entries: ledger.checked.entries,
      unknownEvents: events.unknownEvents,
      validPoints: valid.filter((point) => listed.has(point.snapshotId)).length,
      wasDropped: effects.gone,
      problems,
    }
  } finally {
    await database.close()
  }
}
