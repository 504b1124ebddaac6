/** gate.approve: operators see what is held and decide on it; requesters wait for the decision. */
import { httpFunction, openAlertNotifier, openFoundation, openTable } from '../../shared/index.ts'
import { approveParts } from './parts.ts'

export const handler = httpFunction('gate.approve', async () =>
  approveParts(openFoundation({ records: openTable(), notifier: openAlertNotifier() })),
)
