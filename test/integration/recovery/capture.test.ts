/** Capturing on a real server: consistency, the caller's transaction, odd tables, and what is refused. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { SnapshotId } from '#lib/kernel/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

let db: TestDatabase
let slice: TestRecovery

beforeAll(async () => {
  db = await createTestDatabase()
  slice = await openTestRecovery(db.database)
})

afterAll(async () => {
  await slice?.close()
  await db?.drop()
})

const named = (name: string, schema = 'public') => ({ schema, name })

async function captured(name: string) {
  const point = await slice.recovery.capture(named(name), 'manual')
  return { point, manifest: (await slice.recovery.readManifest(point.snapshotId)).manifest }
}

test('a capture among concurrent writers is one instant: money moves and the sum stays', async () => {
  await db.run(
    'CREATE TABLE account (id integer PRIMARY KEY, balance bigint); INSERT INTO account SELECT i, 1000 FROM generate_series(1, 20000) i',
  )
  let isRunning = true
  let transfers = 0
  const writer = async () => {
    while (isRunning) {
      const [from, to] = [1 + ((transfers * 7_919) % 20_000), 1 + ((transfers * 104_729) % 20_000)]
      await db.database.withSession((session) =>
        session.execute(
          `UPDATE account SET balance = balance + CASE id WHEN ${from} THEN -5 ELSE 5 END WHERE id IN (${from}, ${to}) AND ${from} <> ${to}`,
        ),
      )
      transfers += 1
    }
  }
  const writers = [writer(), writer()]
  const snapshots: SnapshotId[] = []
  for (let round = 0; round < 3; round += 1) {
    // A capture may be faster than the connections of the writers come.
    const wanted = transfers + 10
    await eventually(() => transfers >= wanted, { what: 'the writers to move money' })
    snapshots.push((await captured('account')).point.snapshotId)
  }
  isRunning = false
  await Promise.all(writers)
  expect(transfers).toBeGreaterThanOrEqual(30)
  for (const [index, snapshotId] of snapshots.entries()) {
    await slice.recovery.restore({ snapshotId, target: named(`account_${index}`) })
    const sum = await db.run(`SELECT sum(balance)::text AS sum, count(*)::text AS count FROM account_${index}`)
    expect(sum).toEqual([{ sum: '20000000', count: '20000' }])
  }
})

test('captureWithin sees what its transaction sees and leaves the session as it was', async () => {
  await db.run('CREATE TABLE inside (a integer); INSERT INTO inside VALUES (1); CREATE TABLE beside (b text)')
  const settings = ['search_path', 'row_security', 'statement_timeout', 'TimeZone', 'DateStyle', 'extra_float_digits']
  const points = await db.database.withSession(async (session) => {
    await session.execute(
      `BEGIN; SET LOCAL statement_timeout = '77s'; SET LOCAL search_path = public; SET LOCAL timezone = 'Asia/Tokyo'`,
    )
    await session.execute('LOCK TABLE inside IN ACCESS EXCLUSIVE MODE; INSERT INTO inside VALUES (2)')
    const read = () =>
      session.query(`SELECT name, setting FROM pg_settings WHERE name = ANY ($1) ORDER BY 1`, [settings])
    const before = await read()
    expect(before).toHaveLength(settings.length)
    const taken = await slice.recovery.captureWithin(session, [named('inside'), named('beside')], 'final')
    expect(await read()).toEqual(before)
    await session.execute('DROP TABLE inside; COMMIT')
    return taken
  })
  expect(points.map(({ rowCount, origin }) => ({ rowCount, origin }))).toEqual([
    { rowCount: 2, origin: 'final' },
    { rowCount: 0, origin: 'final' },
  ])
  await slice.recovery.restore({ snapshotId: points[0]?.snapshotId ?? 'snap_' })
  expect(await db.run('SELECT a FROM inside_recovered ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }])
})

test('a capture that fails inside a transaction leaves the transaction usable', async () => {
  await db.run('CREATE TABLE usable (a integer)')
  await db.database.withSession(async (session) => {
    await session.execute('BEGIN; INSERT INTO usable VALUES (1)')
    const capture = slice.recovery.captureWithin(session, [named('nowhere')], 'final')
    await expect(capture).rejects.toMatchObject({ code: 'TABLE_MISSING' })
    await session.execute('INSERT INTO usable VALUES (2); COMMIT')
  })
  expect(await db.run('SELECT count(*)::integer AS count FROM usable')).toEqual([{ count: 2 }])
})

test('row-level security never hides rows from a capture: it fails instead', async () => {
  const role = `reader_${process.pid}`
  await db.run(`CREATE TABLE secret (a integer); INSERT INTO secret VALUES (1), (2);
    ALTER TABLE secret ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON secret USING (a = 1);
    CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT SELECT ON secret TO ${role}`)
  const database = openPostgres({ url: db.urlAs(role, 'x') })
  const theirs = await openTestRecovery(database)
  await expect(theirs.recovery.capture(named('secret'), 'manual')).rejects.toThrow(/row-level security/)
  expect((await theirs.recovery.scan()).points).toEqual([])
  await theirs.close()
  await database.close()
  await db.run(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})

test('a column that has no exact form makes the point invalid and names the column', async () => {
  await db.run(
    'CREATE TABLE base (a integer DEFAULT 1); CREATE TABLE trees AS SELECT adbin AS "the tree" FROM pg_attrdef',
  )
  await expect(slice.recovery.capture(named('trees'), 'manual')).rejects.toMatchObject({
    code: 'COLUMN_TYPE_UNSUPPORTED',
    details: { column: 'the tree' },
  })
  const { points } = await slice.recovery.list({ relation: named('trees') })
  expect(points).toMatchObject([{ status: 'invalid', validationError: expect.stringContaining('"the tree"') }])
  expect(await slice.recovery.findNewestValid(named('trees'))).toBeUndefined()
})

test('a NaN in a decimal column widens the column and loses nothing', async () => {
  await db.run(
    `CREATE TABLE priced (id integer, p numeric(10,2)); INSERT INTO priced SELECT i, i FROM generate_series(1, 3000) i; INSERT INTO priced VALUES (0, 'NaN')`,
  )
  const { point, manifest } = await captured('priced')
  expect(manifest.content.columns).toEqual([
    { name: 'id', encoding: { kind: 'int32' }, isHashed: true },
    { name: 'p', encoding: { kind: 'numeric' }, isHashed: true },
  ])
  await slice.recovery.restore({ snapshotId: point.snapshotId })
  expect(
    await db.run(
      'SELECT count(*)::integer AS same FROM priced p JOIN priced_recovered r ON p.id = r.id AND p.p::text = r.p::text',
    ),
  ).toEqual([{ same: 3001 }])
})

test('tables without rows, without columns, with dropped and with only generated columns survive', async () => {
  await db.run(`CREATE TABLE no_rows (a integer, b text);
    CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES; INSERT INTO no_columns DEFAULT VALUES;
    CREATE TABLE dropped (a integer, b integer, c text); INSERT INTO dropped VALUES (1, 2, 'x'); ALTER TABLE dropped DROP COLUMN b;
    CREATE TABLE generated (a integer GENERATED ALWAYS AS (42) STORED); INSERT INTO generated DEFAULT VALUES`)
  const counts: Record<string, number> = { no_rows: 0, no_columns: 2, dropped: 1, generated: 1 }
  for (const [name, count] of Object.entries(counts)) {
    const { point } = await captured(name)
    expect(point.rowCount).toBe(count)
    await slice.recovery.restore({ snapshotId: point.snapshotId })
    expect(await db.run(`SELECT count(*)::integer AS count FROM ${name}_recovered`)).toEqual([{ count }])
  }
  expect(await db.run('SELECT * FROM dropped_recovered')).toEqual([{ a: 1, c: 'x' }])
  expect(await db.run('SELECT * FROM generated_recovered')).toEqual([{ a: 42 }])
})

test('only the rows of the table itself are captured from an inheritance parent', async () => {
  await db.run(
    'CREATE TABLE parent (a integer); CREATE TABLE child () INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2)',
  )
  expect((await captured('parent')).point.rowCount).toBe(1)
})

test('views, foreign and system tables are refused, and so is what is not there', async () => {
  await db.run('CREATE VIEW v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; CREATE SEQUENCE s')
  for (const name of ['v', 'm', 's']) {
    await expect(slice.recovery.capture(named(name), 'manual')).rejects.toMatchObject({ code: 'TABLE_UNSUPPORTED' })
  }
  const system = slice.recovery.capture(named('pg_class', 'pg_catalog'), 'manual')
  await expect(system).rejects.toMatchObject({ code: 'TABLE_UNSUPPORTED' })
  await expect(slice.recovery.capture(named('nowhere'), 'manual')).rejects.toMatchObject({ code: 'TABLE_MISSING' })
})

test('names that would be paths get places of their own', async () => {
  const names = ['..', 'a/b', 'a%2Fb', 'ä "q" \\', 'A', 'a']
  for (const [index, name] of names.entries()) {
    await db.run(`CREATE TABLE "${name.replaceAll('"', '""')}" AS SELECT ${index} AS v`)
    await captured(name)
  }
  const report = await slice.recovery.scan()
  expect(report.problems).toEqual([])
  expect(report.points.map(({ relation }) => relation.name)).toEqual(expect.arrayContaining(names))
  for (const [index, name] of names.entries()) {
    const point = await slice.recovery.findNewestValid(named(name))
    await slice.recovery.restore({ snapshotId: point?.snapshotId ?? 'snap_', target: named(`odd_${index}`) })
    expect(await db.run(`SELECT v FROM odd_${index}`)).toEqual([{ v: index }])
  }
})

test('the digest sees values that trade places, lost scales, signs of zero and NULLs', async () => {
  await db.run(`CREATE TABLE digested (a integer, b text, c numeric, d double precision, e bpchar, f date);
    INSERT INTO digested VALUES (1, 'x', 1.0, 0, 'y', '2024-01-01'), (2, 'z', 2.5, 1, 'w ', '2024-01-02')`)
  const changes = [
    `UPDATE digested SET a = 3 - a`,
    `UPDATE digested SET b = CASE b WHEN 'x' THEN 'z' ELSE 'x' END`,
    `UPDATE digested SET c = 1.00 WHERE a = 1`,
    `UPDATE digested SET d = '-0' WHERE a = 1`,
    `UPDATE digested SET e = 'w' WHERE a = 2`,
    `UPDATE digested SET b = '' WHERE a = 1`,
    `UPDATE digested SET b = NULL WHERE a = 1`,
    `UPDATE digested SET f = NULL WHERE a = 1`,
    `INSERT INTO digested SELECT * FROM digested WHERE a = 2`,
    `DELETE FROM digested WHERE a = 2 AND ctid = (SELECT min(ctid) FROM digested WHERE a = 2)`,
  ]
  const seen = [(await captured('digested')).manifest.content.digest]
  for (const change of changes) {
    await db.run(change)
    seen.push((await captured('digested')).manifest.content.digest)
  }
  // The last change takes back the one before it.
  expect(seen.at(-1)).toBe(seen.at(-3))
  expect(new Set(seen).size).toBe(changes.length)
})
