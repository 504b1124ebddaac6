/** The main job as a client does it, in steps, each of which may be cut short; and what the client was told. */
import type { Client } from 'pg'
import { TOKENS } from '#test/support/product.ts'
import type { ProductProcess } from './process.ts'

export const STEPS = [
  'hold the deletion',
  'approve the deletion',
  'run the deletion',
  'hold the DROP',
  'approve the DROP',
  'capture and DROP',
  'recover',
] as const

export type Step = (typeof STEPS)[number]

/** One statement's way, as far as the client knows it. */
export interface Known {
  readonly sql: string
  approvalId?: string
  isApproved?: boolean
  /** The answer's status, once there is one. */
  answered?: string
  auditId?: string
  finalSnapshotId?: string
}

/** One round of the job: a table to empty and a table to drop, each with known rows. */
export interface Round {
  readonly number: number
  readonly deletion: Known
  readonly drop: Known
  /** Rows that the database has acknowledged in the table to drop. */
  readonly victimRows: { count: number }
  recoveredRows?: number
  inFlight: Step | 'nothing'
}

export class ProcessGone extends Error {}

/** Number of rows that the deletion removes. */
export const QUEUE_ROWS = 40

export function victimOf(number: number): string {
  return `victim_${number}`
}

export async function prepareDatabase(client: Client): Promise<void> {
  await client.query('CREATE TABLE IF NOT EXISTS executions (round int NOT NULL, rows int NOT NULL)')
}

export async function openRound(client: Client, number: number): Promise<Round> {
  const firstRows = 200 + ((number * 37) % 100)
  await client.query(`
    CREATE TABLE queue_${number} AS SELECT i AS id, 'job ' || i AS job FROM generate_series(1, ${QUEUE_ROWS}) i;
    CREATE TABLE ${victimOf(number)} (id int PRIMARY KEY, text text NOT NULL);
    INSERT INTO ${victimOf(number)} SELECT i, 'row ' || i FROM generate_series(1, ${firstRows}) i`)
  const deletion = `WITH gone AS (DELETE FROM queue_${number} RETURNING id)
    INSERT INTO executions SELECT ${number}, count(*) FROM gone`
  return {
    number,
    deletion: { sql: deletion },
    drop: { sql: `DROP TABLE ${victimOf(number)}` },
    victimRows: { count: firstRows },
    inFlight: 'nothing',
  }
}

/** Goes on adding rows to the table until it is gone: what was acknowledged must be in the final snapshot. */
export async function keepWriting(client: Client, round: Round, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const id = round.victimRows.count + 1
    try {
      await client.query(`INSERT INTO ${victimOf(round.number)} VALUES ($1, $2)`, [id, `row ${id}`])
    } catch {
      return
    }
    round.victimRows.count = id
  }
}

async function send(product: ProductProcess, caller: 'agent' | 'operator', path: string, body: object) {
  try {
    const response = await fetch(product.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKENS[caller]}` },
      body: JSON.stringify(body),
    })
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked at member by member
    return { status: response.status, body: (await response.json()) as any }
  } catch (error) {
    throw new ProcessGone('the request was cut short', { cause: error })
  }
}

async function query(product: ProductProcess, known: Known) {
  const params = { name: 'execute_query', arguments: { query: known.sql, agent_id: 'worker' } }
  const { body } = await send(product, 'agent', '/', { jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  if (body.result === undefined) throw new Error(`no result: ${JSON.stringify(body)}`)
  return body.result
}

async function hold(product: ProductProcess, known: Known): Promise<void> {
  const answer = await query(product, known)
  if (answer.status !== 'approval_required') throw new Error(`not held: ${JSON.stringify(answer)}`)
  known.approvalId = answer.approval_id
}

async function approve(product: ProductProcess, known: Known): Promise<void> {
  const reply = await send(product, 'operator', `/approve/${known.approvalId}`, {})
  if (reply.status !== 200) throw new Error(`not approved: ${JSON.stringify(reply)}`)
  known.isApproved = true
}

async function run(product: ProductProcess, known: Known): Promise<void> {
  const answer = await query(product, known)
  known.answered = answer.status
  known.auditId = answer.audit_id
  known.finalSnapshotId = answer.recovery_points?.[0]?.snapshot_id
  if (answer.status !== 'executed') throw new Error(`not executed: ${JSON.stringify(answer)}`)
}

async function recover(product: ProductProcess, round: Round): Promise<void> {
  const snapshotId = round.drop.finalSnapshotId
  if (snapshotId === undefined) throw new Error('the DROP named no recovery point')
  const answer = await product.restore(snapshotId, `${victimOf(round.number)}_recovered`).catch((error) => {
    throw new ProcessGone('the restore was cut short', { cause: error })
  })
  if (answer.error !== undefined) throw new Error(`not recovered: ${answer.error}`)
  round.recoveredRows = answer.rowCount ?? 0
}

/** Run every step; `onStep` is called at the begin of each. Throws ProcessGone when the process ends under it. */
export async function runRound(product: ProductProcess, round: Round, onStep: (step: Step) => void): Promise<void> {
  const work: Record<Step, () => Promise<void>> = {
    'hold the deletion': () => hold(product, round.deletion),
    'approve the deletion': () => approve(product, round.deletion),
    'run the deletion': () => run(product, round.deletion),
    'hold the DROP': () => hold(product, round.drop),
    'approve the DROP': () => approve(product, round.drop),
    'capture and DROP': () => run(product, round.drop),
    recover: () => recover(product, round),
  }
  for (const step of STEPS) {
    round.inFlight = step
    onStep(step)
    await work[step]()
    round.inFlight = 'nothing'
  }
}

/**
 * Send a statement again after the restart: what was approved and not used runs now, and nothing else does.
 *
 * Returns what is wrong, if anything
 */
export async function resume(product: ProductProcess, known: Known, state: string | undefined): Promise<string[]> {
  if (known.approvalId === undefined) return []
  const answer = await query(product, known)
  const expected = state === 'approved' ? 'executed' : 'approval_required'
  const isMeaningless = answer.status === 'failed' && answer.error?.sql_state === '42P01'
  if (answer.status === expected || (state === 'consumed' && isMeaningless)) return []
  return [`${known.approvalId} was ${state}; sent again, its statement is ${answer.status}: ${answer.message ?? ''}`]
}
