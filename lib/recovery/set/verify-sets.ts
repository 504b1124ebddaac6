/** Reads the lists of sets again: a set whose list cannot be trusted is set aside, and its members stay what they are. */
import type { SetId } from '#lib/kernel/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import type { SetCatalog } from './catalog.ts'
import { decodeSet } from './codec.ts'
import type { StoredSet } from './model.ts'

/** Each is one small object. */
const MOST_SETS = 1_000

export interface SetsChecked {
  readonly checked: number
  readonly corrupt: readonly { readonly setId: SetId; readonly reason: string }[]
  readonly skipped: readonly { readonly subject: string; readonly reason: string }[]
}

/** Newest first. What the storage would not let us read is skipped, and sets nothing aside. Throws `METADATA_UNREACHABLE`. */
export async function verifySets(objects: ObjectStore, sets: SetCatalog, signal?: AbortSignal): Promise<SetsChecked> {
  const corrupt: { setId: SetId; reason: string }[] = []
  const skipped: { subject: string; reason: string }[] = []
  let checked = 0
  for await (const set of listSets(sets)) {
    if (signal?.aborted || checked === MOST_SETS) {
      skipped.push({ subject: 'further sets', reason: signal?.aborted ? 'the time of the run is used up' : 'enough' })
      break
    }
    // One with a member that is not valid cannot be restored as it is; its list says nothing more.
    if (set.status !== 'valid') continue
    const verdict = await judgeList(objects, set)
    if (verdict.kind === 'unknown') {
      skipped.push({ subject: set.setId, reason: verdict.reason })
      continue
    }
    checked += 1
    if (verdict.kind === 'whole') continue
    await sets.setAside(set.setId, verdict.reason)
    corrupt.push({ setId: set.setId, reason: verdict.reason })
  }
  return { checked, corrupt, skipped }
}

async function* listSets(sets: SetCatalog): AsyncGenerator<StoredSet> {
  let cursor: string | undefined
  do {
    const page = await sets.list(cursor === undefined ? {} : { cursor })
    yield* page.sets
    cursor = page.cursor
  } while (cursor !== undefined)
}

type ListVerdict = { readonly kind: 'whole' } | { readonly kind: 'corrupt' | 'unknown'; readonly reason: string }

/** Corrupt only when two readings in a row say so. */
async function judgeList(objects: ObjectStore, set: StoredSet): Promise<ListVerdict> {
  const first = await readList(objects, set)
  return first.kind === 'corrupt' ? await readList(objects, set) : first
}

async function readList(objects: ObjectStore, { manifestKey, manifestSha256 }: StoredSet): Promise<ListVerdict> {
  try {
    decodeSet(await objects.read(manifestKey), manifestKey, manifestSha256)
    return { kind: 'whole' }
  } catch (error) {
    if (!isBackstopError(error)) throw error
    if (error.kind === 'dependency') return { kind: 'unknown', reason: error.message }
    return { kind: 'corrupt', reason: error.message }
  }
}
