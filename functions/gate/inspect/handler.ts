/** gate.inspect: health, audit, alerts, recovery points and figures. */
import type { Notifier } from '#lib/ports/index.ts'
import {
  absent,
  httpFunction,
  openDatabase,
  openFoundation,
  openPolicy,
  openSnapshotBucket,
  openTable,
} from '../../shared/index.ts'
import { inspectParts } from './parts.ts'

export const handler = httpFunction('gate.inspect', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: absent<Notifier>('notifier') })
  return inspectParts(foundation, {
    database: await openDatabase('backstop-inspect'),
    snapshots: openSnapshotBucket('request'),
    policy: await openPolicy(foundation),
  })
})
