/** A process that is killed while it writes a snapshot: `killed-capture.ts <database url> <folder> <table> <bytes | manifest>`. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { openTestRecovery } from './open.ts'

const [url = '', folder = '', table = '', moment = '0'] = process.argv.slice(2)
let left = moment === 'manifest' ? Number.POSITIVE_INFINITY : Number(moment)

/** Counts what is written anywhere and ends the process without warning in the middle of it. */
function killAfter(objects: ObjectStore): ObjectStore {
  const take = (chunk: Uint8Array) => {
    left -= chunk.length
    if (left <= 0) process.kill(process.pid, 'SIGKILL')
  }
  return {
    put: (key, content, options) => {
      if (moment === 'manifest') left = 0
      take(content)
      return objects.put(key, content, options)
    },
    openUpload: async (key, options) => {
      const upload = await objects.openUpload(key, options)
      return {
        write: (chunk) => {
          take(chunk)
          return upload.write(chunk)
        },
        commit: () => upload.commit(),
        abort: () => upload.abort(),
      }
    },
    read: (key, range) => objects.read(key, range),
    readStream: (key, range) => objects.readStream(key, range),
    find: (key) => objects.find(key),
    list: (prefix, cursor) => objects.list(prefix, cursor),
    delete: (key) => objects.delete(key),
  }
}

const database = openPostgres({ url })
const slice = await openTestRecovery(database, { folder, wrapObjects: killAfter })
await slice.recovery.capture({ schema: 'public', name: table }, 'manual')
await slice.close()
await database.close()
