/** The pause record, its short-lived copy, and the changes to it. */
import { BackstopError, instantFrom, isBackstopError, retryConflicts, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock, RecordStore } from '#lib/ports/index.ts'
import { decodePauseState, RUNNING } from './decode.ts'
import type { PauseState, PauseSwitch } from './model.ts'

export interface PauseSwitchOptions {
  readonly store: RecordStore
  readonly clock: Clock
  /** How long `current` may answer from its copy; 1,000 at most and when absent. */
  readonly cacheMs?: number
}

interface Found {
  readonly state: PauseState
  /** 0: there is no record yet. */
  readonly version: number
}

/** A longer reason is cut: an emergency stop does not fail for its words. */
const MAX_REASON_LENGTH = 1_000

const KEY = { partition: 'pause', sort: 'state' }

/** Open the switch. Throws CONFIG_INVALID when the copy would outlive a second. */
export function openPauseSwitch(options: PauseSwitchOptions): PauseSwitch {
  const { store, clock, cacheMs = SECOND_MS } = options
  if (!(cacheMs >= 0 && cacheMs <= SECOND_MS)) {
    throw new BackstopError('CONFIG_INVALID', `a pause must be seen within ${SECOND_MS} ms`)
  }
  let copy: { readonly readAtMs: number; readonly state: Promise<PauseState> } | undefined

  /** The age counts from before the read, so that a slow store makes no copy look younger. */
  function keep(state: Promise<PauseState>, readAtMs: number): Promise<PauseState> {
    const kept = { readAtMs, state }
    copy = kept
    state.catch(() => {
      if (copy === kept) copy = undefined
    })
    return state
  }

  async function change(next: PauseState, found: Found): Promise<PauseState> {
    const record = { key: KEY, body: { ...next } }
    const readAtMs = clock.monotonicMs()
    await store.write(
      found.version === 0 ? { kind: 'create', record } : { kind: 'replace', record, expectedVersion: found.version },
    )
    return keep(Promise.resolve(next), readAtMs)
  }

  const read = () => keep(readState(store), clock.monotonicMs())
  const stamp = (by: string, reason: string) => ({
    reason: reason.slice(0, MAX_REASON_LENGTH),
    changedBy: by,
    changedAt: instantFrom(clock.nowMs()),
  })

  return {
    read,
    async current() {
      const isFresh = copy !== undefined && clock.monotonicMs() - copy.readAtMs < cacheMs
      return isFresh && copy !== undefined ? copy.state : read()
    },
    pause: (by, reason, blocksSafe) =>
      retryConflicts(async () => change({ paused: true, blocksSafe, ...stamp(by, reason) }, await find(store))),
    async resume(by, reason) {
      const found = await find(store)
      try {
        return await change({ paused: false, blocksSafe: false, ...stamp(by, reason) }, found)
      } catch (error) {
        throw isConflict(error) ? pausedMeanwhile(error) : error
      }
    },
  }
}

async function readState(store: RecordStore): Promise<PauseState> {
  return (await find(store)).state
}

/** Throws METADATA_UNREACHABLE, whatever the store threw: not knowing is the same as being stopped. */
async function find(store: RecordStore): Promise<Found> {
  try {
    const record = await store.find(KEY)
    if (record === undefined) return { state: RUNNING, version: 0 }
    return { state: decodePauseState(record.body), version: record.version }
  } catch (error) {
    if (isBackstopError(error, 'METADATA_UNREACHABLE')) throw error
    throw new BackstopError('METADATA_UNREACHABLE', 'the pause state cannot be read', { cause: error })
  }
}

function isConflict(error: unknown): boolean {
  return isBackstopError(error, 'RECORD_CHANGED') || isBackstopError(error, 'RECORD_EXISTS')
}

/** A resume is never repeated by itself: it would lift a pause that whoever resumed has not seen. */
function pausedMeanwhile(cause: unknown): BackstopError {
  return new BackstopError('RECORD_CHANGED', 'the pause was changed by someone else at the same moment: look again', {
    cause,
  })
}
