/**
 * One piece of work in a process of its own, so that its memory is its own: prints `{"ms":…,"rssMiB":…}`.
 *
 * The URL of the database has a password, and arguments can be read by every user of the machine: it comes by environment.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { openFolderObjectStore, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'
import { openRecovery, sessionHelpers } from '#lib/recovery/index.ts'
import { captureWorkers } from '#lib/runtime/capture-workers.ts'

const [work = '', folder = '', table = '', ...rest] = process.argv.slice(2)
const database = openPostgres({ url: process.env['BACKSTOP_DB_URL'] ?? '' })
const random = { bytes: (count: number) => randomBytes(count) }
const objects = await openFolderObjectStore({ root: join(folder, 'objects'), clock: systemClock, random })
// As the command has them.
const records = openSqliteRecordStore({ path: join(folder, 'records.db'), clock: systemClock, isWrittenInline: true })
const ports = { database, objects, columnar: parquet, clock: systemClock, random }
const helpers = sessionHelpers(ports, { workers: captureWorkers(Number(process.env['BACKSTOP_CAPTURE_WORKERS'] ?? 0)) })
const recovery = openRecovery({ ...ports, records, helpers })
const relation = { schema: 'public', name: table }

const startMs = performance.now()
if (work === 'capture') await recovery.capture(relation, 'manual')
else if (work === 'restore') await restoreNewest(rest[0] ?? `${table}_recovered`)
else await copyOut()
const ms = performance.now() - startMs
process.stdout.write(`${JSON.stringify({ ms, rssMiB: process.resourceUsage().maxRSS / 1024 })}\n`)
await records.close()
await database.close()

async function restoreNewest(target: string): Promise<void> {
  const point = await recovery.findNewestValid(relation)
  if (point === undefined) throw new Error('there is nothing to restore')
  await recovery.restore({ snapshotId: point.snapshotId, target: { schema: 'public', name: target } })
}

/** The floor: the same rows out of the server, and nothing done with them. */
async function copyOut(): Promise<void> {
  await database.withDedicatedSession(async (session) => {
    let sizeBytes = 0
    for await (const chunk of session.copyOut(`COPY ${table} TO STDOUT (FORMAT binary)`)) sizeBytes += chunk.length
    if (sizeBytes === 0) throw new Error('nothing came')
  })
}
