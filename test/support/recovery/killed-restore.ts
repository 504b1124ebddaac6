/** A process that is killed in the middle of a restore: `killed-restore.ts <database url> <folder> <snapshot> <moment>`. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { SnapshotId } from '#lib/kernel/index.ts'
import type { Database } from '#lib/ports/index.ts'
import { openTestRecovery } from './open.ts'

const [url = '', folder = '', snapshotId = '', moment = ''] = process.argv.slice(2)

const kill = () => process.kill(process.pid, 'SIGKILL')
const killWhen = (isNow: boolean) => {
  if (isNow) kill()
}

/** Ends the process without warning when the server has answered, or in the middle of the rows. */
function killAt(database: Database): Database {
  return {
    label: database.label,
    withSession: (use) => database.withSession(use),
    withDedicatedSession: (use) =>
      database.withDedicatedSession((session) =>
        use({
          processId: session.processId,
          query: async (sql, parameters, preparedAs) => {
            const rows = await session.query(sql, parameters, preparedAs)
            killWhen(moment === 'with the lock' && sql.includes('pg_try_advisory'))
            return rows as never
          },
          execute: async (sql) => {
            killWhen(moment === 'before the commit' && sql === 'COMMIT')
            await session.execute(sql)
            killWhen(moment === 'with an empty table' && sql.startsWith('CREATE TABLE'))
            killWhen(moment === 'among the indexes' && sql.includes('CREATE INDEX'))
          },
          runCapped: (sql, options) => session.runCapped(sql, options),
          leaveClean: () => session.leaveClean(),
          copyOut: (sql) => session.copyOut(sql),
          copyIn: async (sql, chunks) => {
            const count = await session.copyIn(sql, moment === 'among the rows' ? cutOff(chunks) : chunks)
            killWhen(moment === 'with every row')
            return count
          },
        }),
      ),
    cancel: (processId) => database.cancel(processId),
    close: () => database.close(),
  }
}

async function* cutOff(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let count = 0
  for await (const chunk of chunks) {
    yield chunk
    count += 1
    killWhen(count === 2)
  }
}

const database = openPostgres({ url })
const slice = await openTestRecovery(killAt(database), { folder })
await slice.recovery.restore({ snapshotId: snapshotId as SnapshotId })
await slice.close()
await database.close()
