/** A folder of the object store that is one drill's own: the code that is drilled can reach nothing beside it. */
import type { Clock, ObjectInfo, ObjectPage, ObjectStore } from '#lib/ports/index.ts'
import { listAll } from '../backup/index.ts'

/** Beside the evidence, and below no folder that holds what is to be recovered. */
export const SCRATCH_FOLDER = 'drills/scratch/'
/** What lies there longer was left by a drill that was killed. */
const LEFT_BEHIND_AFTER_MS = 86_400_000

export interface ScratchStore extends ObjectStore {
  /** Says in words what became of the objects. */
  removeAll(): Promise<string>
}

export interface ScratchRules {
  /** True: nobody here may delete; a rule of the bucket lets the folder expire. */
  readonly isScratchExpiring?: boolean
}

export function openScratchStore(objects: ObjectStore, drillId: string, rules: ScratchRules): ScratchStore {
  const folder = `${SCRATCH_FOLDER}${drillId}/`
  const inside = (key: string) => `${folder}${key}`
  const outside = (info: ObjectInfo): ObjectInfo => ({ ...info, key: info.key.slice(folder.length) })
  return {
    put: (key, content, options) => objects.put(inside(key), content, options),
    openUpload: (key, options) => objects.openUpload(inside(key), options),
    read: (key, range) => objects.read(inside(key), range),
    readStream: (key, range) => objects.readStream(inside(key), range),
    find: async (key) => {
      const info = await objects.find(inside(key))
      return info && outside(info)
    },
    list: async (prefix, cursor): Promise<ObjectPage> => {
      const page = await objects.list(inside(prefix), cursor)
      return { ...page, objects: page.objects.map(outside) }
    },
    delete: (key) => objects.delete(inside(key)),
    removeAll: async () => {
      if (rules.isScratchExpiring === true) return 'left to the rule of the bucket that lets them expire'
      return `${await removeBelow(objects, folder, () => true)} objects`
    },
  }
}

/** What killed drills have left. Returns how many objects went. */
export async function clearOldScratch({ objects, clock, isScratchExpiring }: ClearPorts): Promise<number> {
  if (isScratchExpiring === true) return 0
  const beforeMs = clock.nowMs() - LEFT_BEHIND_AFTER_MS
  return await removeBelow(objects, SCRATCH_FOLDER, ({ modifiedAtMs }) => modifiedAtMs < beforeMs)
}

interface ClearPorts extends ScratchRules {
  readonly objects: ObjectStore
  readonly clock: Clock
}

async function removeBelow(objects: ObjectStore, folder: string, isWanted: (info: ObjectInfo) => boolean) {
  const keys: string[] = []
  for await (const info of listAll(objects, folder)) if (isWanted(info)) keys.push(info.key)
  for (const key of keys) await objects.delete(key)
  return keys.length
}

/** The same store, but what is read of one object has one bit flipped: for seeing that damage is found. */
export function withDamage(objects: ObjectStore, damagedKey: string): ObjectStore {
  return {
    put: (key, content, options) => objects.put(key, content, options),
    openUpload: (key, options) => objects.openUpload(key, options),
    read: async (key, range) => {
      const bytes = await objects.read(key, range)
      return key === damagedKey ? flipped(bytes, bytes.length - 1) : bytes
    },
    readStream: (key, range) =>
      key === damagedKey ? flipping(objects.readStream(key, range)) : objects.readStream(key, range),
    find: (key) => objects.find(key),
    list: (prefix, cursor) => objects.list(prefix, cursor),
    delete: (key) => objects.delete(key),
  }
}

function flipped(bytes: Uint8Array, index: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[index] = (copy[index] ?? 0) ^ 1
  return copy
}

/** In the last piece, so that everything before it has passed when the damage comes. */
async function* flipping(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let last: Uint8Array | undefined
  for await (const chunk of source) {
    if (last !== undefined) yield last
    last = chunk
  }
  if (last !== undefined) yield flipped(last, last.length - 1)
}
