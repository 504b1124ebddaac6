/** Finds sets in the object store, which is the truth, and reads one back with every check. */
import type { SetId } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import type { ScanProblem } from '../catalog/index.ts'
import type { SetCatalog } from './catalog.ts'
import type { SealedSet } from './codec.ts'
import { decodeSet, SETS_PREFIX, setIdOf, setManifestKey } from './codec.ts'

export interface SetScan {
  /** Newest first. */
  readonly sets: readonly SealedSet[]
  readonly problems: readonly ScanProblem[]
}

/** One bad list is a problem in the report and never hides another. Throws STORAGE_UNREACHABLE. */
export async function scanSets(objects: ObjectStore): Promise<SetScan> {
  const sets: SealedSet[] = []
  const problems: ScanProblem[] = []
  let cursor: string | undefined
  do {
    const page = await objects.list(SETS_PREFIX, cursor)
    for (const { key } of page.objects) {
      const outcome = await readOne(objects, key)
      if ('code' in outcome) problems.push(outcome)
      else sets.push(outcome)
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  const textOf = ({ manifest }: SealedSet) => `${manifest.capturedAt}#${manifest.setId}`
  sets.sort((left, right) => (textOf(left) < textOf(right) ? 1 : -1))
  return { sets, problems }
}

async function readOne(objects: ObjectStore, key: string): Promise<SealedSet | ScanProblem> {
  if (setIdOf(key) === undefined) return { key, code: 'SET_INVALID', reason: 'this is no list of a set' }
  try {
    return decodeSet(await objects.read(key), key)
  } catch (error) {
    if (!isBackstopError(error) || error.kind === 'dependency') throw error
    return { key, code: error.code, reason: error.message }
  }
}

/**
 * The proven list of a set, through the catalog, or from the object store where the catalog does not know it.
 *
 * Throws: `SET_MISSING`; `SET_INVALID` for a set of which a member or the list itself is not valid
 */
export async function readSet(objects: ObjectStore, sets: SetCatalog, setId: SetId): Promise<SealedSet> {
  const known = await sets.find(setId)
  if (known !== undefined && known.status !== 'valid') {
    throw new BackstopError('SET_INVALID', `set ${setId} cannot be restored: ${known.problem ?? 'it is not valid'}`)
  }
  const key = known?.manifestKey ?? setManifestKey(setId)
  if ((await objects.find(key)) !== undefined) return decodeSet(await objects.read(key), key, known?.manifestSha256)
  if (known === undefined) throw new BackstopError('SET_MISSING', `there is no set ${setId}`)
  throw new BackstopError('SET_INVALID', `the list of set ${setId} is missing`)
}
