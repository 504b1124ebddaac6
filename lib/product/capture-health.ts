/** Tells what keeps recovery points from being taken: a storage that cannot be reached, and tables whose captures go on failing. */
import { ERRORS, isBackstopError } from '#lib/kernel/index.ts'
import { captureFailedAlert, type RoundFailure } from '#lib/recovery/index.ts'
import type { Parts } from './model.ts'

export type CaptureHealthParts = Pick<Parts, 'alerts' | 'settings'>

const STORAGE = 'storage'
const CAPTURE = 'capture'

const isStorageCode = (code: string): boolean => code.startsWith('STORAGE_')

function storageAlert(code: string) {
  return {
    severity: 'critical',
    eventType: 'storage_unreachable',
    title: 'The storage of recovery points cannot be used',
    recommendedAction: `Statements that need a recovery point are refused until it is mended. ${ERRORS.STORAGE_UNREACHABLE.hint}`,
    facts: { code },
    dedupeKey: 'storage',
  } as const
}

/** Run what reads and writes the storage, and tell when it cannot. Throws what `work` throws. */
export async function watchingStorage<T>({ alerts }: CaptureHealthParts, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isBackstopError(error) && isStorageCode(error.code)) await alerts.begin(STORAGE, storageAlert(error.code))
    throw error
  }
}

/** Trying again mends what depends on something else being there; a missing right it does not. */
function mayPass(code: string): boolean {
  if (!(code in ERRORS)) return true
  const { kind } = ERRORS[code as keyof typeof ERRORS]
  return kind === 'dependency' || kind === 'timeout'
}

function isTold({ settings }: CaptureHealthParts, { code, times }: RoundFailure): boolean {
  return times === undefined || times >= settings.snapshotMaxFailures || !mayPass(code)
}

/**
 * All failures of a round: the storage is one alert and not one for each table, the rest is told once it has failed often
 * enough. What fails no more is over. Throws METADATA_UNREACHABLE.
 */
export async function settleFailures(parts: CaptureHealthParts, failing: readonly RoundFailure[]): Promise<void> {
  const ofStorage = failing.find(({ code }) => isStorageCode(code))
  await parts.alerts.settle(STORAGE, ofStorage === undefined ? [] : [storageAlert(ofStorage.code)])
  const open = new Set((await parts.alerts.listStanding(CAPTURE)).map(({ dedupeKey }) => dedupeKey))
  const standing = failing
    .map((failure) => ({ failure, alert: captureFailedAlert(failure) }))
    .filter(({ failure, alert }) => {
      // A table that could not be read before, and cannot be stored now, is not mended.
      return open.has(alert.dedupeKey) || (!isStorageCode(failure.code) && isTold(parts, failure))
    })
  await parts.alerts.settle(
    CAPTURE,
    standing.map(({ alert }) => alert),
  )
}

/** One failure, by the worker that had it. Throws METADATA_UNREACHABLE. */
export async function tellUnlessStorage(parts: CaptureHealthParts, failure: RoundFailure): Promise<void> {
  if (isStorageCode(failure.code)) await parts.alerts.begin(STORAGE, storageAlert(failure.code))
  else if (isTold(parts, failure)) await parts.alerts.begin(CAPTURE, captureFailedAlert(failure))
}
