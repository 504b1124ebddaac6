/** An object store in memory, for codecs that only need somewhere to write. */
import { sha256Hex } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'

export function memoryStore(): ObjectStore {
  const objects = new Map<string, Uint8Array>()
  const read: ObjectStore['read'] = async (key, range) => {
    const content = objects.get(key) ?? new Uint8Array()
    return range === undefined ? content : content.subarray(range.startByte, range.startByte + range.lengthBytes)
  }
  const store = (key: string, content: Uint8Array) => {
    objects.set(key, content)
    return { sizeBytes: content.length, sha256: sha256Hex(content) }
  }
  return {
    put: async (key, content) => store(key, Uint8Array.from(content)),
    openUpload: async (key) => {
      const chunks: Uint8Array[] = []
      return {
        write: async (chunk) => {
          chunks.push(Uint8Array.from(chunk))
        },
        commit: async () => store(key, Buffer.concat(chunks)),
        abort: async () => {},
      }
    },
    read,
    readStream: async function* (key, range) {
      yield await read(key, range)
    },
    find: async (key) => {
      const content = objects.get(key)
      return content === undefined ? undefined : { key, sizeBytes: content.length, modifiedAtMs: 0 }
    },
    list: async (prefix) => ({
      objects: [...objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .sort()
        .map((key) => ({ key, sizeBytes: objects.get(key)?.length ?? 0, modifiedAtMs: 0 })),
    }),
    delete: async (key) => {
      objects.delete(key)
    },
  }
}
