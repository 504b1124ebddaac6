/** Who takes part in a capture of this process: further sessions for large tables, and a thread of its own for those that would hold up statements. */

import { parquet } from '#lib/adapters/parquet/index.ts'
import type { Database, ObjectStore } from '#lib/ports/index.ts'
import { captureLimits, type Foundation, noteGivenBack, openSessionHelpers, type Stores } from '#lib/product/index.ts'
import { openCaptureThread } from './capture-thread/index.ts'
import { captureWorkers } from './capture-workers.ts'
import type { RuntimeConfig } from './config.ts'

const MEGABYTE = 1_048_576

interface CaptureGround {
  readonly database: Database
  /** With its password. */
  readonly databaseUrl: string
  readonly objects: ObjectStore
}

export function openCaptureHelp(
  config: RuntimeConfig,
  foundation: Pick<Foundation, 'random' | 'log'>,
  { database, databaseUrl, objects }: CaptureGround,
): Pick<Stores, 'helpers' | 'copyElsewhere'> {
  const { captureThreadMegabytes, metadataPath, storageUrl } = config
  const workers = captureWorkers(config.captureWorkers)
  const helpers = openSessionHelpers(foundation, { database, objects, columnar: parquet }, workers)
  const helped = helpers === undefined ? {} : { helpers }
  // Records in memory belong to this thread alone.
  if (captureThreadMegabytes === 0 || metadataPath === ':memory:') return helped
  const places = { databaseUrl, storageUrl, metadataPath, workers, ...captureLimits({ settings: config }) }
  const fromBytes = captureThreadMegabytes * MEGABYTE
  const noteFailure = noteGivenBack(foundation.log)
  return { ...helped, copyElsewhere: openCaptureThread({ places, fromBytes, database, noteFailure }) }
}
