/** recovery.watch: who is at the database past the gate. */
import { openAlertNotifier, openDatabase, openFoundation, openTable, scheduledFunction } from '../../shared/index.ts'
import { watchParts } from './parts.ts'

export const handler = scheduledFunction('recovery.watch', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  return watchParts(foundation, await openDatabase('backstop-watch'))
})
