/** What a server wrote into its log between two positions, housekeeping aside. Needs the extension pg_walinspect. */
import type { Client } from 'pg'

/** Records that reading causes: pruning, hint bits, and what background processes write by themselves. */
const HOUSEKEEPING = ['Heap2/PRUNE', 'Heap2/VISIBLE', 'XLOG/FPI_FOR_HINT', 'Standby/RUNNING_XACTS', 'XLOG/CHECKPOINT']

export interface WalMark {
  /** End of the log when it was looked at. */
  readonly end: string
  /** Where to go on reading next time, behind our own record. */
  readonly next: string
}

/**
 * Note where the log ends, and flush it: only what is flushed can be read back.
 *
 * Effects: one record of our own between `end` and `next`
 */
export async function markWal(client: Client): Promise<WalMark> {
  const end = await insertPosition(client)
  await client.query("SELECT pg_logical_emit_message(false, 'mark', '', true)")
  return { end, next: await insertPosition(client) }
}

async function insertPosition(client: Client): Promise<string> {
  const result = await client.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn')
  return result.rows[0]?.lsn ?? '0/0'
}

/** `Sequence/LOG`, `LogicalMessage/MESSAGE`, …: each kind of record written between two marks, except housekeeping. */
export async function recordsBetween(client: Client, before: WalMark, after: WalMark): Promise<string[]> {
  if (before.next === after.end) return []
  const result = await client.query<{ record: string }>(
    `SELECT DISTINCT resource_manager || '/' || record_type AS record
     FROM pg_get_wal_records_info($1::pg_lsn, $2::pg_lsn) WHERE start_lsn < $2::pg_lsn`,
    [before.next, after.end],
  )
  return result.rows
    .map(({ record }) => record)
    .filter((record) => !HOUSEKEEPING.some((allowed) => record.startsWith(allowed)))
}
