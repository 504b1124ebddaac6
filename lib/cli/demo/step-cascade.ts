/** One row by its text, thousands by its effect: run, measured, rolled back, held. */
import { BUSY_ORDERS, BUSY_WAREHOUSE } from '../shop/index.ts'
import { answerClaim, databaseClaim } from './claim.ts'
import type { DemoStep } from './model.ts'
import { contentSql, readState } from './state.ts'

const STATEMENT = `UPDATE warehouses SET code = '${BUSY_WAREHOUSE}-2' WHERE code = '${BUSY_WAREHOUSE}'`
const REAL_EFFECT = `SELECT ((SELECT count(*) FROM warehouses WHERE code = $1) + (SELECT count(*) FROM orders WHERE warehouse = $1))::int`

export const cascadeStep: DemoStep = {
  id: 'cascade',
  title: 'An UPDATE of one row that changes thousands is rolled back and held',
  actor: 'agent',
  async run(world) {
    const orders = await readState(world, 'orders')
    const warehouses = await readState(world, 'warehouses')
    const answer = await world.execute(STATEMENT)
    const { estimated_affected_rows: measured, impact_method: method } = answer.safety_metadata
    const says = `measured ${measured} rows: one warehouse, and ${BUSY_ORDERS} orders that follow it by ON UPDATE CASCADE`
    return {
      input: STATEMENT,
      answer: `${answer.status}, ${answer.risk_level}: ${method} ${measured} rows`,
      claims: [
        answerClaim('it is held for a person', answer.status, 'approval_required'),
        answerClaim('', method, 'measured'),
        answerClaim('', measured, BUSY_ORDERS + 1),
        databaseClaim(says, REAL_EFFECT, measured, BUSY_WAREHOUSE),
        databaseClaim('', `SELECT count(*)::int FROM orders WHERE warehouse = '${BUSY_WAREHOUSE}-2'`, 0),
        databaseClaim('', contentSql('warehouses'), warehouses.content),
        databaseClaim('warehouses and orders are as before, by content', contentSql('orders'), orders.content),
      ],
    }
  },
}
