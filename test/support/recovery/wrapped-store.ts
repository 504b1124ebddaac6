/** An object store of which a test replaces some methods. */
import type { ObjectStore } from '#lib/ports/index.ts'

export function wrappedStore(objects: ObjectStore, replaced: Partial<ObjectStore>): ObjectStore {
  return {
    put: (key, content, options) => objects.put(key, content, options),
    openUpload: (key, options) => objects.openUpload(key, options),
    read: (key, range) => objects.read(key, range),
    readStream: (key, range) => objects.readStream(key, range),
    find: (key) => objects.find(key),
    list: (prefix, cursor) => objects.list(prefix, cursor),
    delete: (key) => objects.delete(key),
    ...replaced,
  }
}
