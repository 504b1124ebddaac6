/** The SQL that recover printed is run as it stands, and the shop goes on. */
import { databaseClaim } from './claim.ts'
import type { DemoStep } from './model.ts'
import { contentSql, remembered } from './state.ts'

const INDEXES = `SELECT string_agg(indexname, ', ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'payments'`
const NEXT_PAYMENT = `WITH paid AS (SELECT 1) SELECT nextval(pg_get_serial_sequence('payments', 'id')) > max(id) FROM payments`

export const copybackStep: DemoStep = {
  id: 'copyback',
  title: 'The printed SQL puts it in its place',
  actor: 'operator',
  async run({ memory, runDirectly }) {
    const before = remembered(memory.payments, 'state of payments')
    const statements = remembered(memory.copyback, 'copyback')
    await runDirectly(statements)
    return {
      input: `psql, ${statements.length} statements that recover printed`,
      answer: 'COMMIT',
      claims: [
        databaseClaim('payments equals the table before the drop, by content', contentSql('payments'), before.content),
        databaseClaim('', `SELECT to_regclass('public.payments_recovered') IS NULL`, true),
        databaseClaim('its indexes have their old names', INDEXES, 'payments_by_order, payments_open, payments_pkey'),
        databaseClaim('new payments get new numbers', NEXT_PAYMENT, true),
      ],
    }
  },
}
