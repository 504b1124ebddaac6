/** Databases of other encodings than UTF-8: what they hold comes back byte for byte. */
import { afterEach, expect, test } from 'vitest'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { Database } from '#lib/ports/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

let db: TestDatabase
let other: Database
let slice: TestRecovery

afterEach(async () => {
  await slice?.close()
  await other?.close()
  await db?.run(`DROP DATABASE IF EXISTS ${db.name}_other WITH (FORCE)`)
  await db?.drop()
})

async function open(encoding: string): Promise<void> {
  db = await createTestDatabase()
  await db.run(`CREATE DATABASE ${db.name}_other ENCODING '${encoding}' TEMPLATE template0 LOCALE 'C'`)
  const url = new URL(db.url)
  url.pathname = `/${db.name}_other`
  other = openPostgres({ url: url.href })
  slice = await openTestRecovery(other)
}

/** The bytes as they lie in the database: binary output would be converted for the client. */
const BYTES = (table: string) =>
  `SELECT id, encode(convert_to(v, getdatabaseencoding()), 'hex') AS v, array_length(a, 1) AS a, encode(convert_to(a[1], getdatabaseencoding()), 'hex') AS first FROM ${table} ORDER BY id`

test.for([
  ['LATIN1', `convert_from('\\xe4f6fcdf20a0ff', 'LATIN1')`],
  ['EUC_JP', `convert_from('\\xc6fccbdcb8ec', 'EUC_JP')`],
  ['SQL_ASCII', `convert_from('\\xff01fe80e4', 'SQL_ASCII')`],
] as const)('%s', async ([encoding, text]) => {
  await open(encoding)
  await other.withSession((session) =>
    session.execute(
      `CREATE TABLE public.t AS SELECT i AS id, ${text} AS v, ARRAY[${text}, NULL] AS a FROM generate_series(1, 3) i`,
    ),
  )
  const { snapshotId } = await slice.recovery.capture({ schema: 'public', name: 't' }, 'manual')
  await slice.recovery.restore({ snapshotId })
  const rows = (table: string) => other.withSession((session) => session.query(BYTES(table)))
  expect(await rows('public.t_recovered')).toEqual(await rows('public.t'))
})
