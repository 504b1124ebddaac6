/**
 * The product as a process that can be killed.
 *
 * Arguments: one JSON object, see `ChildOrder`. Sends `ready` with its addresses, seals the ledger all the time, and answers
 * `restore` orders, so that captures, seals and restores can be cut short as well as requests.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { SnapshotId } from '#lib/kernel/index.ts'
import { readConfig, startProduct } from '#lib/runtime/index.ts'
import type { ChildOrder, RestoreAnswer, RestoreOrder } from './process.ts'

const order = JSON.parse(process.argv[2] ?? '{}') as ChildOrder
const product = await startProduct({
  config: readConfig(order.environment, order.folder),
  version: '0.0.0',
  tokens: order.tokens,
  log: () => {},
  ...(order.clusterFolder === undefined ? {} : { clusterFolder: order.clusterFolder }),
})

process.on('message', async ({ id, snapshotId, target }: RestoreOrder) => {
  const answer = await product.parts.recovery
    .restore({ snapshotId: snapshotId as SnapshotId, target: { schema: 'public', name: target } })
    .then((report): RestoreAnswer => ({ kind: 'restored', id, rowCount: report.rowCount }))
    .catch((error: Error): RestoreAnswer => ({ kind: 'restored', id, error: error.message }))
  process.send?.(answer)
})
process.on('disconnect', () => process.exit(0))
process.send?.({ kind: 'ready', url: product.url, databaseUrl: product.databaseUrl })

for (;;) {
  await product.parts.ledger.sealDue()
  await delay(order.sealEveryMs)
}
