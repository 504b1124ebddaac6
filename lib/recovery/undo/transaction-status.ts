/** What came of a transaction, as far as the server still knows. */
import type { DatabaseSession } from '#lib/ports/index.ts'

export type TransactionStatus = 'committed' | 'aborted' | 'in progress'

/** Undefined: too long ago, or of another server. `transactionId`: xid8 as text. */
export async function transactionStatus(
  session: DatabaseSession,
  transactionId: string,
): Promise<TransactionStatus | undefined> {
  const rows = await session.query<{ status: TransactionStatus | null }>(
    `SELECT CASE WHEN $1::text::xid8 < pg_snapshot_xmax(pg_current_snapshot()) THEN pg_xact_status($1::text::xid8) END AS status`,
    [transactionId],
  )
  return rows[0]?.status ?? undefined
}
