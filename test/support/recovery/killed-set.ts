/**
 * A process that is killed in the middle of a set: `killed-set.ts capture <database url> <folder> <bytes | list>`, or
 * `killed-set.ts restore <database url> <folder> <words that a statement begins with> <set id>`.
 */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { SetId } from '#lib/kernel/index.ts'
import type { Database, DatabaseSession, ObjectStore } from '#lib/ports/index.ts'
import { openTestRecovery } from './open.ts'
import { wrappedStore } from './wrapped-store.ts'

const [verb = '', url = '', folder = '', moment = '', setId = ''] = process.argv.slice(2)

function kill(): void {
  process.kill(process.pid, 'SIGKILL')
}

/** After so many bytes of parts, or when the list of the set is about to be written. */
function killWhileWriting(objects: ObjectStore): ObjectStore {
  let left = moment === 'list' ? Number.POSITIVE_INFINITY : Number(moment)
  return wrappedStore(objects, {
    put: async (key, content, options) => {
      if (moment === 'list' && key.startsWith('sets/')) kill()
      return await objects.put(key, content, options)
    },
    openUpload: async (key, options) => {
      const upload = await objects.openUpload(key, options)
      return {
        write: (chunk) => {
          left -= chunk.length
          if (left <= 0) kill()
          return upload.write(chunk)
        },
        commit: () => upload.commit(),
        abort: () => upload.abort(),
      }
    },
  })
}

/** When the server has answered a statement that begins so. */
function killAfterStatement(database: Database): Database {
  const watched = (session: DatabaseSession): DatabaseSession => ({
    processId: session.processId,
    query: (sql, parameters, preparedAs) => session.query(sql, parameters, preparedAs),
    execute: async (sql) => {
      await session.execute(sql)
      if (sql.includes(moment)) kill()
    },
    runCapped: (sql, options) => session.runCapped(sql, options),
    leaveClean: () => session.leaveClean(),
    copyOut: (sql) => session.copyOut(sql),
    copyIn: (sql, chunks) => session.copyIn(sql, chunks),
  })
  return {
    label: database.label,
    withSession: (use) => database.withSession(use),
    withDedicatedSession: (use) => database.withDedicatedSession((session) => use(watched(session))),
    cancel: (processId) => database.cancel(processId),
    close: () => database.close(),
  }
}

const database = openPostgres({ url })
if (verb === 'capture') {
  const slice = await openTestRecovery(database, { folder, wrapObjects: killWhileWriting })
  const tables = ['checking', 'savings', 'transfer'].map((name) => ({ schema: 'public', name }))
  await slice.recovery.sets.capture({ kind: 'tables', tables }, 'manual')
} else {
  const slice = await openTestRecovery(killAfterStatement(database), { folder })
  await slice.recovery.sets.restore({ setId: setId as SetId })
}
