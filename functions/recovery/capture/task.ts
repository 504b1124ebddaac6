/** One capture in a container: the order comes by a variable, what came of it goes to the log and the records. */
import process from 'node:process'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { BackstopError, isBackstopError, type JsonObject } from '#lib/kernel/index.ts'
import { getVariable } from '../../shared/environment.ts'
import {
  openAlertNotifier,
  openDatabase,
  openFoundation,
  openQueues,
  openSnapshotBucket,
  openTable,
  SYSTEM,
} from '../../shared/index.ts'
import { log } from '../../shared/log.ts'
import { captureParts } from './parts.ts'

/** Longer than any table takes; a task that hangs ends after it. */
const LONGEST_MS = 24 * 60 * 60 * 1_000

/** Throws WORK_INVALID, and shows nothing of the text. */
function readOrder(): JsonObject {
  try {
    return JSON.parse(getVariable('BACKSTOP_CAPTURE_ORDER')) as JsonObject
  } catch {
    throw new BackstopError('WORK_INVALID', 'BACKSTOP_CAPTURE_ORDER holds no order')
  }
}

async function run(): Promise<void> {
  const body = readOrder()
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  const database = await openDatabase('backstop-capture')
  const queue = openQueues('part')
  const parts = captureParts(foundation, { database, snapshots: openSnapshotBucket(), columnar: parquet, queue })
  const endsAtMs = SYSTEM.clock.nowMs() + LONGEST_MS
  const item = { id: 'task', kind: 'large-capture', body, attempt: 1 }
  const facts = await parts.handle(item, () => endsAtMs - SYSTEM.clock.nowMs())
  log('info', 'work', { task: 'recovery.capture', ...facts })
}

try {
  await run()
  process.exit(0)
} catch (error) {
  const known = isBackstopError(error) ? { code: error.code, reason: error.message } : { code: 'BUG' }
  log('error', 'work_failed', { task: 'recovery.capture', ...known })
  process.exit(1)
}
