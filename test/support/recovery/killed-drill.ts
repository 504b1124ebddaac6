/** A process that is killed in the middle of a drill: `killed-drill.ts <database url> <folder> <table> <before | after>` the restore's end. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { Database } from '#lib/ports/index.ts'
import { openTestRecovery } from './open.ts'

const [url = '', folder = '', table = '', moment = 'before'] = process.argv.slice(2)

const kill = () => process.kill(process.pid, 'SIGKILL')

/** Ends the process without warning when the server has answered. */
function killAt(database: Database): Database {
  return {
    label: database.label,
    withSession: (use) => database.withSession(use),
    withDedicatedSession: (use) =>
      database.withDedicatedSession((session) =>
        use({
          processId: session.processId,
          query: (sql, parameters, preparedAs) => session.query(sql, parameters, preparedAs),
          execute: async (sql) => {
            await session.execute(sql)
            if (moment === 'before' ? sql.startsWith('CREATE UNLOGGED TABLE') : sql === 'COMMIT') kill()
          },
          runCapped: (sql, options) => session.runCapped(sql, options),
          leaveClean: () => session.leaveClean(),
          copyOut: (sql) => session.copyOut(sql),
          copyIn: (sql, chunks) => session.copyIn(sql, chunks),
        }),
      ),
    cancel: (processId) => database.cancel(processId),
    close: () => database.close(),
  }
}

const database = openPostgres({ url })
const slice = await openTestRecovery(killAt(database), { folder })
await slice.recovery.runTableDrill({ relation: { schema: 'public', name: table } })
await slice.close()
await database.close()
