/** Segments in the object store: written once, never replaced. */

import { isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import type { Segment } from './segment.ts'
import { decodeSegment, SEGMENT_PREFIX, segmentKey } from './segment.ts'

/** Throws AUDIT_BROKEN when it is malformed. */
export async function findSegment(objects: ObjectStore, number: number): Promise<Segment | undefined> {
  try {
    return decodeSegment(await objects.read(segmentKey(number)))
  } catch (error) {
    if (isBackstopError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}

/** Every key below the segments' folder, in ascending order. */
export async function listSegmentKeys(objects: ObjectStore): Promise<readonly string[]> {
  const keys: string[] = []
  let cursor: string | undefined
  do {
    const page = await objects.list(SEGMENT_PREFIX, cursor)
    keys.push(...page.objects.map((object) => object.key))
    cursor = page.cursor
  } while (cursor !== undefined)
  return keys
}
