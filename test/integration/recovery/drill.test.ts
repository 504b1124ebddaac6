/** A captured table is restored into scratch and compared, and nothing but the evidence stays. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, jsonDigest } from '#lib/kernel/index.ts'
import type { StoredDrill } from '#lib/recovery/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

/** The server finds out a moment later that a killed process is gone, and holds its locks until then. */
const LOCKS_SQL = `SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE d.datname = current_database() AND l.locktype = 'advisory'`
const SCHEMAS_SQL = `SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'backstop_drill%' ORDER BY 1`
const ORDERS = { schema: 'public', name: 'orders' }
const SEED = `
  CREATE TYPE mood AS ENUM ('good', 'bad');
  CREATE TABLE customers (id integer PRIMARY KEY, name text);
  INSERT INTO customers VALUES (1, 'one'), (2, 'two');
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 5) PRIMARY KEY,
    number serial, parent bigint REFERENCES orders (id),
    customer integer NOT NULL CONSTRAINT orders_customer REFERENCES customers (id) ON DELETE CASCADE,
    price numeric(10, 2) CHECK (price >= 0), amount integer DEFAULT 1,
    total numeric GENERATED ALWAYS AS (price * amount) STORED,
    state mood, note text COLLATE "C", UNIQUE (customer, number));
  COMMENT ON TABLE orders IS 'what was ordered';
  COMMENT ON COLUMN orders.note IS 'by hand';
  CREATE INDEX orders_note ON orders (lower(note)) WHERE note IS NOT NULL;
  CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
  ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON orders USING (customer = 1);
  INSERT INTO orders (customer, price, state, note) SELECT 1 + i % 2, i, 'good', md5(i::text) FROM generate_series(1, 300) i`

let db: TestDatabase
let slice: TestRecovery
let clock: FixedClock

beforeEach(async () => {
  db = await createTestDatabase(SEED)
  clock = createFixedClock()
  slice = await openTestRecovery(db.database, { clock })
})

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

async function drillOf(relation: RelationName): Promise<StoredDrill> {
  await slice.recovery.capture(relation, 'manual')
  return await slice.recovery.runTableDrill({ relation })
}

const another = (options: Parameters<typeof openTestRecovery>[1]) =>
  openTestRecovery(db.database, { clock, folder: slice.folder, ...options })

test('a table with everything on it comes back equal, and the evidence says what was looked at', async () => {
  await slice.recovery.capture(ORDERS, 'manual')
  clock.advance(90_000)
  const { evidence } = await slice.recovery.runTableDrill({ relation: ORDERS })
  expect(evidence.failure).toBeNull()
  expect(evidence).toMatchObject({ result: 'ok', relation: ORDERS, rowCount: 300, rpoSeconds: 90, differences: [] })
  expect(evidence.rtoSeconds).toBeGreaterThanOrEqual(0)
  expect(evidence.checked).toContain('whole-content digest in the database')
  expect(evidence.checked).toContainEqual(expect.stringMatching(/^\d\d pieces of the definition$/))
  expect(evidence.skipped.map(({ subject }) => subject)).toEqual(['write-ahead log', 'foreign key orders_customer'])
  expect(evidence.steps.map(({ name, status }) => `${name}: ${status}`)).toEqual([
    'clear leftovers: ok',
    'choose a point: ok',
    'read the manifest: ok',
    'make scratch: ok',
    'restore: ok',
    'compare the definition: ok',
    'drop scratch: ok',
    'hold the lock of drills: ok',
  ])
  expect(await db.run(SCHEMAS_SQL)).toEqual([])
})

test('the evidence is an object that proves itself and a record in the list', async () => {
  const drill = await drillOf(ORDERS)
  const { evidence, key, sha256 } = drill
  expect(key).toBe(`drills/2027-01-15/${evidence.drillId}.json`)
  const { evidenceSha256, ...stored } = JSON.parse(Buffer.from(await slice.objects.read(key ?? '')).toString())
  expect(stored).toEqual(evidence)
  expect([evidenceSha256, jsonDigest(stored)]).toEqual([sha256, sha256])
  clock.advance(1_000)
  const second = await slice.recovery.runTableDrill({ relation: ORDERS })
  expect(await slice.recovery.listDrills()).toEqual({ drills: [second, drill] })
})

test('nothing outside the scratch is written, locked against writing, or given a trigger', async () => {
  const before =
    await db.run(`SELECT (SELECT count(*) FROM pg_trigger) AS triggers, (SELECT count(*) FROM pg_class) AS relations,
    (SELECT md5(string_agg(c::text, ',' ORDER BY id)) FROM customers c) AS customers, (SELECT last_value FROM orders_number_seq) AS drawn`)
  const blocker = db.database.withDedicatedSession(async (session) => {
    await session.execute('BEGIN; LOCK TABLE customers IN ROW EXCLUSIVE MODE')
    return await drillOf(ORDERS)
  })
  expect((await blocker).evidence.result).toBe('ok')
  const after =
    await db.run(`SELECT (SELECT count(*) FROM pg_trigger) AS triggers, (SELECT count(*) FROM pg_class) AS relations,
    (SELECT md5(string_agg(c::text, ',' ORDER BY id)) FROM customers c) AS customers, (SELECT last_value FROM orders_number_seq) AS drawn`)
  expect(after).toEqual(before)
})

test.for([
  [
    'mixed case and spaces',
    'CREATE TABLE "Mixed Case" ("Id" serial PRIMARY KEY, "select" text); INSERT INTO "Mixed Case" ("select") VALUES (1)',
    'Mixed Case',
  ],
  [
    'a reserved word',
    'CREATE TABLE "table" ("user" integer UNIQUE, "table" text); INSERT INTO "table" VALUES (1, 2)',
    'table',
  ],
  [
    'quotes',
    `CREATE TABLE "a""b'c\\d" ("e""f'g\\h" integer DEFAULT 3); INSERT INTO "a""b'c\\d" DEFAULT VALUES`,
    `a"b'c\\d`,
  ],
  [
    'the longest name',
    `CREATE TABLE ${'n'.repeat(63)} (id serial PRIMARY KEY, v text); CREATE INDEX ${'i'.repeat(63)} ON ${'n'.repeat(63)} (v)`,
    'n'.repeat(63),
  ],
  [
    'a partition',
    'CREATE TABLE parted (v integer PRIMARY KEY) PARTITION BY RANGE (v); CREATE TABLE leaf PARTITION OF parted FOR VALUES FROM (0) TO (9); INSERT INTO parted VALUES (1), (2)',
    'leaf',
  ],
  [
    'a tree of partitions',
    `CREATE TABLE tree (v integer, w text, PRIMARY KEY (v)) PARTITION BY RANGE (v); CREATE TABLE t1 PARTITION OF tree FOR VALUES FROM (0) TO (9) WITH (fillfactor = 60);
     CREATE TABLE t2 PARTITION OF tree DEFAULT PARTITION BY HASH (v); CREATE TABLE t3 PARTITION OF t2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
     CREATE INDEX ON tree (w); INSERT INTO tree SELECT i, 'x' FROM generate_series(1, 20) i`,
    'tree',
  ],
  ['no rows', 'CREATE TABLE empty (v integer)', 'empty'],
  ['no columns', 'CREATE TABLE bare (); INSERT INTO bare DEFAULT VALUES', 'bare'],
  [
    'forced row security and storage options',
    'CREATE TABLE forced (v text) WITH (fillfactor = 70); ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, ALTER v SET STORAGE EXTERNAL, REPLICA IDENTITY FULL; CREATE POLICY p ON forced USING (false)',
    'forced',
  ],
  ['an unlogged table', 'CREATE UNLOGGED TABLE unlogged (v integer); INSERT INTO unlogged VALUES (1)', 'unlogged'],
] as const)('a table with %s is drilled', async ([, sql, name]) => {
  await db.run(sql)
  const { evidence } = await drillOf({ schema: 'public', name })
  expect([evidence.failure, evidence.differences]).toEqual([null, []])
  expect(evidence.result).toBe('ok')
  expect(await db.run(SCHEMAS_SQL)).toEqual([])
})

test('a table that was dropped is drilled when it is named', async () => {
  await slice.recovery.capture(ORDERS, 'manual')
  await db.run('DROP TABLE orders')
  expect((await slice.recovery.runTableDrill({ relation: ORDERS })).evidence.result).toBe('ok')
})

test('tables take turns, the one drilled longest ago first', async () => {
  await slice.recovery.runRound({ allowedTables: [], minimumAgeMs: 0 })
  const names: unknown[] = []
  for (let turn = 0; turn < 3; turn += 1) {
    names.push((await slice.recovery.runTableDrill()).evidence.relation?.name)
    clock.advance(1_000)
  }
  expect(names).toEqual(['customers', 'orders', 'customers'])
})

test('a point above the limit is skipped by name and the next table taken; none left is no success', async () => {
  await slice.recovery.runRound({ allowedTables: [], minimumAgeMs: 0 })
  const orders = await slice.recovery.findNewestValid(ORDERS)
  const small = await slice.recovery.findNewestValid({ schema: 'public', name: 'customers' })
  await slice.recovery.runTableDrill()
  const next = await slice.recovery.runTableDrill({ maxBytes: small?.sizeBytes ?? 0 })
  expect(orders?.sizeBytes).toBeGreaterThan(small?.sizeBytes ?? 0)
  expect(next.evidence.relation?.name).toBe('customers')
  expect(next.evidence.skipped[0]).toMatchObject({
    subject: 'public.orders',
    reason: expect.stringMatching(/more than the \d+ of a drill/),
  })
  const none = (await slice.recovery.runTableDrill({ maxBytes: 1 })).evidence
  expect(none).toMatchObject({ result: 'skipped', relation: null, failure: null, checked: [] })
  expect(none.skipped).toHaveLength(2)
})

test('a database without tables, and a table without a point, are said to be skipped', async () => {
  await db.run('DROP TABLE orders, customers')
  expect((await slice.recovery.runTableDrill()).evidence).toMatchObject({
    result: 'skipped',
    skipped: [{ reason: 'it has no table' }],
  })
  expect((await slice.recovery.runTableDrill({ relation: ORDERS })).evidence).toMatchObject({
    result: 'skipped',
    skipped: [{ subject: 'public.orders', reason: 'it has no valid recovery point' }],
  })
})

test.for(['part', 'manifest'])(
  'a corrupt %s fails the drill, sets that point aside and leaves nothing',
  async (damaged) => {
    const older = await slice.recovery.capture(ORDERS, 'manual')
    clock.advance(1_000)
    const point = await slice.recovery.capture(ORDERS, 'manual')
    const { manifest } = await slice.recovery.readManifest(point.snapshotId)
    const key = damaged === 'part' ? (manifest.parts[0]?.key ?? '') : point.manifestKey
    const path = join(slice.folder, 'objects', ...key.split('/'))
    const content = readFileSync(path)
    writeFileSync(path, content.fill((content[50] ?? 0) ^ 4, 50, 51))
    const { evidence } = await slice.recovery.runTableDrill({ relation: ORDERS })
    expect(evidence).toMatchObject({ result: 'failed', snapshotId: point.snapshotId, rtoSeconds: null })
    expect((await slice.recovery.find(point.snapshotId))?.status).toBe('quarantined')
    expect((await slice.recovery.find(older.snapshotId))?.status).toBe('valid')
    expect(await db.run(SCHEMAS_SQL)).toEqual([])
    expect((await slice.recovery.runTableDrill({ relation: ORDERS })).evidence).toMatchObject({
      result: 'ok',
      snapshotId: older.snapshotId,
    })
  },
)

test('storage out of reach fails the drill and sets nothing aside', async () => {
  const point = await slice.recovery.capture(ORDERS, 'manual')
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield* []
    throw new BackstopError('STORAGE_UNREACHABLE', 'the disk is gone')
  }
  const cut = await another({ wrapObjects: (objects) => wrappedStore(objects, { readStream: failing }) })
  const { evidence } = await cut.recovery.runTableDrill({ relation: ORDERS })
  expect(evidence).toMatchObject({
    result: 'failed',
    failure: { code: 'STORAGE_UNREACHABLE', reason: 'the disk is gone' },
  })
  expect((await slice.recovery.find(point.snapshotId))?.status).toBe('valid')
  expect(await db.run(SCHEMAS_SQL)).toEqual([])
  await cut.close()
})

test('evidence that cannot be stored as an object makes the drill a failed one', async () => {
  await slice.recovery.capture(ORDERS, 'manual')
  const failing = () => Promise.reject(new BackstopError('STORAGE_UNREACHABLE', 'the disk is full'))
  const full = await another({ wrapObjects: (objects) => wrappedStore(objects, { put: failing }) })
  const drill = await full.recovery.runTableDrill({ relation: ORDERS })
  expect(drill).toMatchObject({ key: null, evidence: { result: 'failed', failure: { code: 'STORAGE_UNREACHABLE' } } })
  expect((await slice.recovery.listDrills()).drills).toEqual([drill])
  await full.close()
})

test('a piece that cannot be made again fails the drill by its name, without the values it names', async () => {
  await slice.recovery.capture(ORDERS, 'manual')
  await db.run('DROP TRIGGER orders_touch ON orders; DROP FUNCTION touch')
  const { evidence } = await slice.recovery.runTableDrill({ relation: ORDERS })
  expect(evidence).toMatchObject({
    result: 'failed',
    failure: { code: 'DRILL_MISMATCH' },
    differences: [{ subject: 'trigger orders_touch', reason: expect.stringMatching(/touch\(\) does not exist/) }],
  })
})

test('a role without the right to make a schema is told what to grant', async () => {
  const role = `drill_${db.name}`
  await db.run(`CREATE ROLE "${role}" LOGIN PASSWORD 'x'; REVOKE CREATE ON DATABASE "${db.name}" FROM PUBLIC`)
  await slice.recovery.capture({ schema: 'public', name: 'customers' }, 'manual')
  const database = openPostgres({ url: db.urlAs(role, 'x') })
  const limited = await openTestRecovery(database, { clock, folder: slice.folder })
  const relation = { schema: 'public', name: 'customers' }
  const refused = (await limited.recovery.runTableDrill({ relation })).evidence
  expect(refused).toMatchObject({ result: 'failed', failure: { code: 'DRILL_REFUSED' } })
  await db.run(`GRANT CREATE ON DATABASE "${db.name}" TO "${role}"`)
  const granted = (await limited.recovery.runTableDrill({ relation })).evidence
  expect(granted.failure).toBeNull()
  expect(granted).toMatchObject({ result: 'ok' })
  expect(granted.skipped.map(({ subject }) => subject)).toContainEqual(expect.stringMatching(/^owner /))
  await limited.close()
  await database.close()
  await db.run(`DROP OWNED BY "${role}"; DROP ROLE "${role}"`)
})

test('time that is up ends the drill and drops what it had made', async () => {
  await slice.recovery.capture(ORDERS, 'manual')
  const controller = new AbortController()
  const wrapObjects: NonNullable<Parameters<typeof openTestRecovery>[1]>['wrapObjects'] = (objects) =>
    wrappedStore(objects, {
      readStream: (key, range) => {
        controller.abort(new DOMException('the time is over', 'TimeoutError'))
        return objects.readStream(key, range)
      },
    })
  const late = await another({ wrapObjects })
  const { evidence } = await late.recovery.runTableDrill({ relation: ORDERS, signal: controller.signal })
  expect(evidence).toMatchObject({ result: 'failed', failure: { code: 'TABLE_TOO_LARGE_FOR_RUN' } })
  expect(await db.run(SCHEMAS_SQL)).toEqual([])
  expect((await slice.recovery.find(evidence.snapshotId ?? 'snap_'))?.status).toBe('valid')
  await late.close()
})

test('of two drills at once one runs and the other says why it did not', async () => {
  await slice.recovery.capture(ORDERS, 'manual')
  const held = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const slow = await another({
    wrapObjects: (objects) =>
      wrappedStore(objects, {
        readStream: async function* (key, range) {
          begun.resolve()
          await held.promise
          yield* objects.readStream(key, range)
        },
      }),
  })
  const first = slow.recovery.runTableDrill({ relation: ORDERS })
  await begun.promise
  const second = (await slice.recovery.runTableDrill({ relation: ORDERS })).evidence
  held.resolve()
  expect(second).toMatchObject({ result: 'skipped', skipped: [{ reason: 'another one is running in this database' }] })
  expect((await first).evidence.result).toBe('ok')
  await slow.close()
})

test('what a killed drill left is dropped by the next one, and nothing that only looks like it', async () => {
  await slice.recovery.capture(ORDERS, 'manual')
  const script = fileURLToPath(new URL('../../support/recovery/killed-drill.ts', import.meta.url))
  for (const moment of ['before', 'after']) {
    const child = spawn(process.execPath, [script, db.url, slice.folder, ORDERS.name, moment], { stdio: 'ignore' })
    expect(await new Promise((resolve) => child.once('exit', (_code, by) => resolve(by)))).toBe('SIGKILL')
    expect(await db.run(SCHEMAS_SQL)).toHaveLength(1)
    await eventually(async () => (await db.run(LOCKS_SQL)).length === 0, { what: 'the lock of the killed drill to go' })
  }
  expect(await db.run(`SELECT 1 FROM pg_tables WHERE schemaname LIKE 'backstop_drill%'`)).toHaveLength(1)
  const plan = await slice.recovery.planRound({ allowedTables: [], minimumAgeMs: 0 })
  expect(plan.captures.map(({ relation }) => relation.name).sort()).toEqual(['customers', 'orders'])
  const unmarked = `backstop_drill_${'1'.repeat(32)}`
  const misnamed = 'backstop_drill_of_mine'
  const inUse = `backstop_drill_${'2'.repeat(32)}`
  const garbled = `backstop_drill_${'3'.repeat(32)}`
  const mark = 'backstop-drill-scratch {"drillId":"drill_2","table":"t","startedAt":"2027-01-01T00:00:00.000Z"}'
  await db.run(`CREATE SCHEMA ${unmarked}; CREATE TABLE ${unmarked}.t (v integer);
    CREATE SCHEMA ${misnamed}; COMMENT ON SCHEMA ${misnamed} IS '${mark}'; CREATE TABLE ${misnamed}.t (v integer);
    CREATE SCHEMA ${inUse}; COMMENT ON SCHEMA ${inUse} IS '${mark}'; CREATE TABLE ${inUse}.mine (v integer);
    CREATE SCHEMA ${garbled}; COMMENT ON SCHEMA ${garbled} IS 'backstop-drill-scratch {'`)
  const { evidence } = await slice.recovery.runTableDrill({ relation: ORDERS })
  expect(evidence.result).toBe('ok')
  expect(evidence.steps[0]).toMatchObject({ name: 'clear leftovers', detail: '1 dropped' })
  expect(evidence.skipped.slice(0, 2)).toMatchObject([
    {
      subject: `schema ${inUse}`,
      reason: expect.stringMatching(/cannot drop schema .* because other objects depend on it/),
    },
    { subject: `schema ${garbled}`, reason: 'its mark cannot be read' },
  ])
  expect((await db.run(SCHEMAS_SQL)).map(({ name }) => name)).toEqual([unmarked, inUse, garbled, misnamed])
  expect(await db.run(`SELECT 1 FROM pg_tables WHERE schemaname LIKE 'backstop_drill%'`)).toHaveLength(3)
})

test('a view that somebody put over the scratch keeps it, and the drill says that it could not drop it', async () => {
  await slice.recovery.capture(ORDERS, 'manual')
  await db.run(`CREATE FUNCTION peek() RETURNS event_trigger LANGUAGE plpgsql AS $$
    DECLARE made regclass := to_regclass((SELECT format('%I.orders', nspname) FROM pg_namespace WHERE nspname LIKE 'backstop_drill%'));
    BEGIN IF made IS NOT NULL AND to_regclass('public.peeked') IS NULL THEN
      EXECUTE format('CREATE VIEW public.peeked AS SELECT id FROM %s', made); END IF; END $$;
    CREATE EVENT TRIGGER peek ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION peek()`)
  const { evidence } = await slice.recovery.runTableDrill({ relation: ORDERS })
  expect(evidence).toMatchObject({
    result: 'failed',
    failure: { code: 'DRILL_REFUSED', reason: expect.stringMatching(/could not be dropped/) },
  })
  expect(await db.run(`SELECT to_regclass('public.peeked')::text AS found`)).toEqual([{ found: 'peeked' }])
  await db.run('DROP EVENT TRIGGER peek; DROP VIEW peeked')
  expect((await slice.recovery.runTableDrill({ relation: ORDERS })).evidence.steps[0]?.detail).toBe('1 dropped')
})
