/** Values near the limits: kept exactly within bounded memory, or refused by name before memory runs out. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const MEBIBYTE = 1_048_576
const CHILD = fileURLToPath(new URL('../../support/recovery/large-row.ts', import.meta.url))
const BIG = { schema: 'public', name: 'big' }
/** What the program takes before it has read a row, and what a row takes while it is stored. */
const BASE_MEBIBYTES = 250
const TIMES = 5

let db: TestDatabase
let slice: TestRecovery

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

async function open(seed: string, maxRowBytes?: number): Promise<void> {
  db = await createTestDatabase(seed)
  slice = await openTestRecovery(db.database, maxRowBytes === undefined ? {} : { maxRowBytes })
}

/** `mebibytes` of bytea that no compression of the server makes small in transit. */
const table = (mebibytes: number, rows = 1) =>
  `CREATE TABLE big AS SELECT i AS id, convert_to(repeat(md5(i::text), ${mebibytes * 32_768}), 'UTF8') AS v FROM generate_series(1, ${rows}) i`

test('rows of a hundred mebibytes come back within bounded memory', { timeout: 120_000 }, async () => {
  await open(table(100, 2))
  const done = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, db.url], {
    encoding: 'utf8',
  })
  expect(done.stderr).toBe('')
  const { isSame, peakMebibytes } = JSON.parse(done.stdout) as { isSame: boolean; peakMebibytes: number }
  expect(isSame).toBe(true)
  expect(peakMebibytes).toBeGreaterThan(100)
  expect(peakMebibytes).toBeLessThan(BASE_MEBIBYTES + TIMES * 100)
})

test('a larger row is refused with its size, its place and what to do', async () => {
  await open(`${table(1, 3)}; INSERT INTO big SELECT 4, convert_to(repeat('x', ${9 * MEBIBYTE}), 'UTF8')`, 8 * MEBIBYTE)
  await expect(slice.recovery.capture(BIG, 'manual')).rejects.toMatchObject({
    code: 'ROW_TOO_LARGE',
    message: 'row 4 has 10 MiB up to its field 2, and 8 MiB is the limit of a row',
  })
  expect((await slice.recovery.scan(BIG)).points).toEqual([])
})

test('a refusal leaves the transaction of the caller as it was', async () => {
  await open(table(9), 8 * MEBIBYTE)
  const seen = await db.database.withDedicatedSession(async (session) => {
    await session.execute("BEGIN; INSERT INTO big VALUES (2, '')")
    const refused = await slice.recovery.captureWithin(session, [BIG], 'final').catch((error: unknown) => error)
    const rows = await session.query('SELECT count(*)::integer AS count FROM big')
    await session.execute('ROLLBACK')
    return { refused, rows }
  })
  expect(seen.refused).toMatchObject({ code: 'ROW_TOO_LARGE' })
  expect(seen.rows).toEqual([{ count: 2 }])
})

test('many columns count together', async () => {
  const wide = Array.from({ length: 12 }, (_, index) => `repeat('x', ${MEBIBYTE}) AS c${index}`)
  await open(`CREATE TABLE big AS SELECT ${wide.join(', ')}`, 8 * MEBIBYTE)
  await expect(slice.recovery.capture(BIG, 'manual')).rejects.toMatchObject({ code: 'ROW_TOO_LARGE' })
})

test('a table of 1,600 columns comes back', async () => {
  const columns = Array.from({ length: 1_600 }, (_, index) => `c${index} ${index % 2 === 0 ? 'integer' : 'text'}`)
  const values = (row: number) =>
    columns.map((_, index) => (index % 7 === row ? 'NULL' : index % 2 === 0 ? index : `'${index}'`))
  await open(`CREATE TABLE big (${columns.join(', ')}); INSERT INTO big VALUES (${values(1)}), (${values(2)})`)
  const { snapshotId } = await slice.recovery.capture(BIG, 'manual')
  expect((await slice.recovery.restore({ snapshotId })).notRebuilt).toEqual([])
  const rows = (name: string) =>
    db.run(`SELECT md5(c0::text || coalesce(c1599, 'none') || c800::text) AS some FROM ${name} ORDER BY 1`)
  expect(await rows('big_recovered')).toEqual(await rows('big'))
})
