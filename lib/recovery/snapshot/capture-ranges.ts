/** Captures the ranges of a table: on the session that holds the snapshot, and beside it by whoever helps. */
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { ManifestPart } from '../manifest/index.ts'
import { captureRange, discardParts } from './capture-range.ts'
import { DecoderShelf } from './decoder-shelf.ts'
import type { CapturedRange, CapturePorts, RangeHelpers, RangeOrder, RangeOutcome } from './model.ts'

/** While helpers finish: keeps the connection from looking idle, and finds out when it is gone or was stopped. */
const SIGN_OF_LIFE_MS = 1_000

/** Helpers, and the name of the snapshot that they are to import. */
export interface Sharing {
  readonly helpers: RangeHelpers
  readonly snapshotName: string
}

/**
 * Capture all ranges. Helpers and the session itself take one after the other from the same list.
 *
 * Invariants: the outcome is of all ranges or of none; a helper that fails takes no more, and its range is captured by the
 *             session itself: only what fails there fails the capture; when it returns nobody writes any more
 * Effects:    parts; those of a capture that fails, or that a value does not fit, are removed
 */
export async function captureRanges(
  session: DatabaseSession,
  orders: readonly RangeOrder[],
  ports: CapturePorts,
  sharing: Sharing | undefined,
): Promise<RangeOutcome> {
  const work = new RangeWork(orders)
  const groupBytes = sharing?.helpers.groupBytes ?? ports.groupBytes
  const decoders = new DecoderShelf()
  const ownPorts = groupBytes === undefined ? { ...ports, decoders } : { ...ports, decoders, groupBytes }
  const own = (order: RangeOrder) => captureRange(session, order, ownPorts)
  const helping = sharing === undefined ? [] : startHelpers(work, sharing)
  try {
    await work.takeAll(own)
    await keepAlive(session, Promise.all(helping))
    // What helpers gave back after the list was empty.
    await work.takeAll(own)
    const outcome = work.outcome()
    if (!outcome.ok) await discardParts(ports.objects, work.parts)
    return outcome
  } catch (error) {
    work.stop()
    await Promise.all(helping)
    await discardParts(ports.objects, work.parts)
    throw error
  }
}

type RunRange = (order: RangeOrder) => Promise<RangeOutcome>

/** What is to do and what has come of it. */
class RangeWork {
  readonly #waiting: RangeOrder[]
  readonly #done: CapturedRange[] = []
  readonly #stopping = new AbortController()
  #misfit: number | undefined

  constructor(orders: readonly RangeOrder[]) {
    this.#waiting = [...orders]
  }

  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  get parts(): readonly ManifestPart[] {
    return this.#done.flatMap(({ parts }) => parts)
  }

  stop(): void {
    this.#stopping.abort()
  }

  /** Work until nothing is left to take. Throws what `run` throws; its range is then to be taken again. */
  async takeAll(run: RunRange): Promise<void> {
    while (this.#misfit === undefined && !this.signal.aborted) {
      const order = this.#waiting.shift()
      if (order === undefined) return
      try {
        const outcome = await run(order)
        if (outcome.ok) this.#done.push(outcome)
        else this.#misfit ??= outcome.columnIndex
      } catch (error) {
        this.#waiting.unshift(order)
        throw error
      }
    }
  }

  outcome(): RangeOutcome {
    if (this.#misfit !== undefined) return { ok: false, columnIndex: this.#misfit }
    const digest = this.#done.reduce((sum, range) => sum + BigInt(range.digest), 0n)
    const rowCount = this.#done.reduce((sum, range) => sum + range.rowCount, 0)
    const parts = [...this.parts].sort((left, right) => (left.key < right.key ? -1 : 1))
    return { ok: true, rowCount, digest: String(digest), parts }
  }
}

function startHelpers(work: RangeWork, { helpers, snapshotName }: Sharing): Promise<void>[] {
  const run: RunRange = (order) => helpers.run(snapshotName, order, work.signal)
  return Array.from({ length: helpers.count }, () =>
    work.takeAll(run).catch((error: unknown) => {
      if (!work.signal.aborted) helpers.noteFailure?.(error)
    }),
  )
}

async function keepAlive(session: DatabaseSession, helping: Promise<unknown>): Promise<void> {
  let isOver = false
  const over = helping.then(() => {
    isOver = true
  })
  while (!isOver) {
    let timer: NodeJS.Timeout | undefined
    const sign = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SIGN_OF_LIFE_MS)
    })
    await Promise.race([over, sign])
    clearTimeout(timer)
    if (!isOver) await session.query('SELECT 1')
  }
}
