/** What the content digest tells apart, and that digests of manifests from before a change of its forms still hold. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Manifest } from '#lib/recovery/manifest/index.ts'
import { encodeManifest, manifestKey } from '#lib/recovery/manifest/index.ts'
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

const named = (name: string) => ({ schema: 'public', name })

async function captured(name: string): Promise<Manifest> {
  const { snapshotId } = await slice.recovery.capture(named(name), 'manual')
  return (await slice.recovery.readManifest(snapshotId)).manifest
}

test.each([
  ['numeric', ['1.0', '1.00', '-1.0', '10', 'NaN', '0', '0.0', '1e40', null]],
  ['numeric(12,2)', ['1', '-1', '100', '0.01', 'NaN', null]],
  ['double precision', ['0', '-0', 'NaN', 'Infinity', '-Infinity', '1', '-1', '5e-324', null]],
  ['real', ['0', '-0', 'NaN', 'Infinity', '-Infinity', '1', '1e-45', null]],
  ['json', ['1', '1.0', ' 1', '"1"', 'null', '{}', '{ }', '{"a":1,"a":1}', '{"a":1}', '[1,2]', '[2,1]', null]],
  [
    'jsonb',
    ['1', '1.0', '-1', '"1"', 'null', '{}', '[]', '{"a": -1}', '{"a": 1}', '{"a": 1.0}', '[1, 2]', '[2, 1]', null],
  ],
] as const)('each of these values of %s has a digest of its own', async (type, values) => {
  await db.run('DROP TABLE IF EXISTS one')
  await db.run(`CREATE TABLE one (id integer, v ${type}); INSERT INTO one VALUES (1, NULL)`)
  const digests = new Set<string>()
  for (const value of values) {
    await db.run(`UPDATE one SET v = ${value === null ? 'NULL' : `'${value}'`}`)
    digests.add((await captured('one')).content.digest)
  }
  expect(digests.size).toBe(values.length)
})

test('elements of a document that trade places far apart change the digest', async () => {
  await db.run(`CREATE TABLE listed AS SELECT 1 AS id, jsonb_agg(i) AS v FROM generate_series(1, 100) i`)
  const before = (await captured('listed')).content.digest
  await db.run(`UPDATE listed SET v = jsonb_set(jsonb_set(v, '{3}', v -> 35), '{35}', v -> 3)`)
  expect((await captured('listed')).content.digest).not.toBe(before)
})

test('columns behind domains are taken in as their base type is', async () => {
  await db.run(`CREATE DOMAIN document AS jsonb CHECK (VALUE <> '0'); CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE > 0);
    CREATE DOMAIN weight AS double precision; CREATE TABLE shop (id integer, d document, p price, w weight);
    INSERT INTO shop VALUES (1, '{"a": [1.50, "x"]}', 2.5, '-0'), (2, NULL, NULL, NULL)`)
  const { snapshotId, content } = await captured('shop')
  expect(content.columns.map(({ isHashed }) => isHashed)).toEqual([true, true, true, true])
  expect((await slice.recovery.restore({ snapshotId })).insertedRows).toBe(2)
  expect(await slice.recovery.validateRestore(snapshotId)).toMatchObject({ isContentEqual: true })
})

/** Manifests of earlier versions: these types went in with the text of the row. */
const AS_TEXT = ['c', 'm', 'd', 'r', 'j', 'k']
const DIGEST_AS_TEXT = `SELECT sum(hashint8extended(hash_record_extended(ROW(
  t.id, (ROW(t.c, t.m, t.d, t.r, t.j, t.k))::text COLLATE "C"), 0), 0))::text AS digest FROM earlier t`

test('a manifest from before numbers and documents were hashed by themselves is restored and compared as ever', async () => {
  await db.run(`CREATE TABLE earlier (id integer PRIMARY KEY, c numeric, m numeric(12,2), d double precision, r real, j json, k jsonb);
    INSERT INTO earlier SELECT i, i / 7.0, i, sqrt(i), sqrt(i), json_build_object('n', i), jsonb_build_array(i, i::text)
      FROM generate_series(1, 500) i;
    INSERT INTO earlier VALUES (0, 'NaN', NULL, '-0', 'Infinity', ' { "a" : 1 } ', NULL)`)
  const manifest = await captured('earlier')
  const [{ digest } = { digest: '' }] = (await db.run(DIGEST_AS_TEXT)) as { digest: string }[]
  expect(digest).not.toBe(manifest.content.digest)
  const columns = manifest.content.columns.map((column) =>
    AS_TEXT.includes(column.name) ? { ...column, isHashed: false } : column,
  )
  const snapshotId = `snap_${'e'.repeat(32)}` as const
  const parts = await Promise.all(
    manifest.parts.map(async (part) => {
      const key = part.key.replace(manifest.snapshotId, snapshotId)
      await slice.objects.put(key, await slice.objects.read(part.key))
      return { ...part, key }
    }),
  )
  const earlier = { ...manifest, snapshotId, content: { ...manifest.content, columns, digest }, parts }
  await slice.objects.put(manifestKey(named('earlier'), snapshotId), encodeManifest(earlier).bytes)
  expect((await slice.recovery.restore({ snapshotId })).insertedRows).toBe(501)
  expect(await slice.recovery.validateRestore(snapshotId)).toMatchObject({ isContentEqual: true })
  await db.run('UPDATE earlier_recovered SET m = m + 1 WHERE id = 7')
  expect(await slice.recovery.validateRestore(snapshotId)).toMatchObject({
    isContentEqual: false,
    differences: { differingRows: 1 },
  })
})
