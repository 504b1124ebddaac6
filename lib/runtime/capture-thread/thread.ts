/** The thread that captures: opens what it needs, makes the copies of one order, says what came of it, and ends. */
import { parentPort, workerData } from 'node:worker_threads'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { openRecovery, sessionHelpers } from '#lib/recovery/index.ts'
import { openMetadata, openStorage } from '../storage.ts'
import { SYSTEM } from '../system.ts'
import { encodeFailure } from './failure.ts'
import type { CaptureTask, ThreadMessage } from './model.ts'

/** Sessions are dedicated; the pool itself is for what is asked beside them. */
const CONNECTIONS = 2

const tell = (message: ThreadMessage) => parentPort?.postMessage(message)
const noteFailure = (error: unknown) => tell({ kind: 'given-back', failure: encodeFailure(error) })

async function carryOut(task: CaptureTask, signal: AbortSignal): Promise<readonly RecoveryPoint[]> {
  const { databaseUrl, storageUrl, metadataPath, workers, maxRowBytes } = task.places
  const database = openPostgres({
    url: databaseUrl,
    maxConnections: CONNECTIONS,
    applicationName: task.sessionName,
  })
  try {
    const records = await openMetadata(metadataPath)
    try {
      const stores = { database, objects: await openStorage(storageUrl), columnar: parquet }
      const helpers = { ...sessionHelpers({ ...SYSTEM, ...stores }, { workers }), noteFailure }
      const helped = workers < 2 ? {} : { helpers }
      const recovery = openRecovery({ ...SYSTEM, ...stores, ...helped, records, maxRowBytes })
      return await recovery.copy(task.order, { signal })
    } finally {
      await records.close()
    }
  } finally {
    await database.close()
  }
}

const stopping = new AbortController()
parentPort?.on('message', () => stopping.abort())
try {
  tell({ kind: 'done', points: await carryOut(workerData as CaptureTask, stopping.signal) })
} catch (error) {
  tell({ kind: 'failed', failure: encodeFailure(error) })
}
parentPort?.close()
