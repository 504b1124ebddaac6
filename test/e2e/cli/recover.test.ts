/** Snapshots and recovery on the command line, against a real database. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { makeTemporaryFolder, runCliJson, runCliProcess } from '#test/support/cli/run-cli.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'

const SEED = `
CREATE TABLE payments (id int PRIMARY KEY, amount numeric(10,2) NOT NULL, note text);
INSERT INTO payments SELECT n, n * 1.25, 'payment ' || n FROM generate_series(1, 500) n;
CREATE TABLE refunds (payment_id int REFERENCES payments, amount numeric);
INSERT INTO refunds VALUES (7, 1), (8, 2);
CREATE TABLE broken (id int PRIMARY KEY, note text);
INSERT INTO broken VALUES (1, 'one');
CREATE SCHEMA "Odd";
CREATE TABLE "Odd"."Select" ("Key" int PRIMARY KEY, "value" text);
INSERT INTO "Odd"."Select" VALUES (1, 'x'), (2, NULL);
`
const CONTENT = `SELECT md5(string_agg(t::text, '|' ORDER BY id)) AS content, count(*)::int AS rows FROM payments t`

let database: TestDatabase
let folder: TemporaryFolder
let environment: Record<string, string>

beforeAll(async () => {
  database = await createTestDatabase(SEED)
  folder = makeTemporaryFolder()
  environment = { BACKSTOP_DB_URL: database.url, BACKSTOP_STORAGE_URL: `file://${join(folder.path, 'backups')}` }
})
afterAll(async () => {
  await database.drop()
  folder.remove()
})

async function snapshot(table: string): Promise<string> {
  const { exitCode, data } = await runCliJson(['snapshot', '--table', table], environment)
  expect({ exitCode, status: data.snapshot?.status }).toEqual({ exitCode: 0, status: 'valid' })
  return data.snapshot.snapshot_id
}

function partOf(snapshotId: string): string {
  const root = join(folder.path, 'backups')
  const part = readdirSync(root, { recursive: true, encoding: 'utf8' }).find(
    (name) => name.includes(snapshotId) && name.includes('.parquet'),
  )
  return join(root, part ?? 'no part was found')
}

describe('a lost table', () => {
  test('is listed from the storage alone, recovered, validated, and put back by the SQL that is printed', async () => {
    const before = await database.run(CONTENT)
    const older = await snapshot('payments')
    const newer = await snapshot('payments')
    await database.run('DROP TABLE payments CASCADE')

    const listed = await runCliJson(['snapshots', 'list', '--table', 'payments'], {
      BACKSTOP_STORAGE_URL: environment['BACKSTOP_STORAGE_URL'],
    })
    expect(listed.data.snapshots.map((one: { snapshot_id: string }) => one.snapshot_id)).toEqual([newer, older])
    expect(listed.data.snapshots[0]).toMatchObject({
      table: 'payments',
      schema: 'public',
      status: 'valid',
      origin: 'manual',
      row_count: 500,
    })

    const recovered = await runCliJson(['recover', '--table', 'payments', '--non-interactive'], environment)
    expect(recovered).toMatchObject({
      exitCode: 0,
      data: {
        ok: true,
        snapshot_id: newer,
        source: 'public.payments',
        target: 'public.payments_recovered',
        row_count: 500,
      },
    })
    expect(recovered.data.checked).toContain('whole-content digest in the database')
    await database.run(recovered.data.copyback.statements.join(';\n'))
    expect(await database.run(CONTENT)).toEqual(before)
    const keys = await database.run(
      `SELECT conname FROM pg_constraint WHERE conrelid = 'refunds'::regclass AND contype = 'f'`,
    )
    expect(keys).toEqual([{ conname: 'refunds_payment_id_fkey' }])
  })

  test('prints the SQL of the way back so that it can be pasted', async () => {
    const { exitCode, stdout } = await runCliProcess(
      ['recover', '--table', 'payments', '--yes', '--target-table', 'payments_again'],
      environment,
    )
    expect(exitCode).toBe(0)
    expect(stdout).toContain('500 rows are in public.payments_again, compared with the snapshot.')
    expect(stdout).toContain('the table holds every row')
    await database.run('DROP TABLE payments_again')
  })

  test('of another schema and with reserved names comes back', async () => {
    await snapshot('"Odd"."Select"')
    await database.run('UPDATE "Odd"."Select" SET value = \'wrong\'')
    const { data } = await runCliJson(['recover', '--table', '"Odd"."Select"', '--yes'], environment)
    expect(data).toMatchObject({ ok: true, target: 'Odd.Select_recovered', copyback: { kind: 'bring-back-rows' } })
    await database.run(data.copyback.statements.join(';\n'))
    expect(await database.run('SELECT value FROM "Odd"."Select" ORDER BY 1')).toEqual([{ value: 'x' }, { value: null }])
  })
})

describe('recover', () => {
  test('changes nothing in a dry run', async () => {
    const { exitCode, data } = await runCliJson(
      ['recover', '--table', 'payments', '--dry-run', '--target-table', 'dry'],
      environment,
    )
    expect(exitCode).toBe(0)
    expect(data).toMatchObject({ ok: true, dry_run: true, target: 'public.dry', copyback: null })
    expect(await database.run(`SELECT to_regclass('dry') AS dry`)).toEqual([{ dry: null }])
  })

  test('refuses the original as its target, an existing target, and to go on when nobody can be asked', async () => {
    const over = await runCliJson(
      ['recover', '--table', 'payments', '--yes', '--target-table', 'payments'],
      environment,
    )
    expect(over).toMatchObject({ exitCode: 2, data: { ok: false, error: { code: 'RESTORE_OVER_SOURCE' } } })
    const existing = await runCliJson(
      ['recover', '--table', 'payments', '--yes', '--target-table', 'refunds'],
      environment,
    )
    expect(existing).toMatchObject({ exitCode: 1, data: { error: { code: 'RESTORE_TARGET_EXISTS' } } })
    const unasked = await runCliProcess(['recover', '--table', 'payments'], environment)
    expect(unasked.exitCode).toBe(2)
    expect(unasked.stderr).toContain('give --yes or --non-interactive')
  })

  test('into a table that is there adds what is missing, and does not claim that the whole was compared', async () => {
    await database.run(
      'CREATE TABLE kept AS SELECT * FROM payments WHERE id > 100; ALTER TABLE kept ADD PRIMARY KEY (id)',
    )
    const words = ['recover', '--table', 'payments', '--yes', '--target-table', 'kept', '--conflict-policy', 'skip']
    const { exitCode, stdout } = await runCliProcess(words, environment)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('100 rows added and 0 set back in public.kept')
    expect(stdout).not.toContain('rows are in public.kept, compared with the snapshot')
    expect(await database.run('SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 500 }])
  })

  test.each([
    ['logical', [], 'no valid logical backup'],
    ['pitr', ['--cluster-id', 'prod'], 'there is no base backup of this cluster'],
  ])('says that there is no backup for the type %s, and where to look', async (type, more, says) => {
    const { exitCode, stderr } = await runCliProcess(['recover', '--type', type, '--yes', ...more], environment)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`Error: ${says}`)
    expect(stderr).toContain('backstop pitr list')
  })

  test('says when there is no valid snapshot, and what there is', async () => {
    const { exitCode, stderr } = await runCliProcess(['recover', '--table', 'refunds', '--yes'], environment)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Error: no valid snapshots of refunds: there is none at all')
  })

  test('takes the named snapshot of the named table alone', async () => {
    const id = await snapshot('broken')
    const { data, exitCode } = await runCliJson(
      ['recover', '--table', 'payments', '--snapshot-id', id, '--yes'],
      environment,
    )
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'SNAPSHOT_MISSING' })
  })
})

describe('a snapshot whose file was changed', () => {
  test('is refused with the words of the troubleshooting page, and the previous one works', async () => {
    const previous = await snapshot('broken')
    const newest = await snapshot('broken')
    const part = partOf(newest)
    const bytes = readFileSync(part)
    const middle = Math.floor(statSync(part).size / 2)
    bytes.writeUInt8((bytes.at(middle) ?? 0) ^ 1, middle)
    writeFileSync(part, bytes)

    for (const command of ['recover', 'restore']) {
      const more = command === 'recover' ? ['--yes'] : ['--snapshot-id', newest]
      const { exitCode, stderr } = await runCliProcess([command, '--table', 'broken', ...more], environment)
      expect(exitCode).toBe(1)
      expect(stderr).toContain('Error: manifest checksum mismatch — snapshot may be corrupted')
    }
    expect(await database.run(`SELECT to_regclass('broken_recovered') AS name`)).toEqual([{ name: null }])
    const again = await runCliJson(['recover', '--table', 'broken', '--snapshot-id', previous, '--yes'], environment)
    expect(again).toMatchObject({ exitCode: 0, data: { ok: true, row_count: 1 } })
  })

  test('is never offered when its manifest is damaged', async () => {
    const id = await snapshot('refunds')
    const manifest = partOf(id).replace(/[^/]+$/, 'manifest.json')
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"refunds"', '"Refunds"'))
    const listed = await runCliJson(['snapshots', 'list', '--table', 'refunds'], environment)
    expect(listed.data.snapshots).toEqual([])
    expect(listed.data.problems).toHaveLength(1)
    const { exitCode, stderr } = await runCliProcess(['recover', '--table', 'refunds', '--yes'], environment)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('no valid snapshots of refunds: none of the 1 that are there can be trusted')
    const named = await runCliProcess(['recover', '--table', 'refunds', '--snapshot-id', id, '--yes'], environment)
    expect(named.stderr).toContain('manifest checksum mismatch — snapshot may be corrupted')
  })
})

describe('places that are not there', () => {
  test('a storage folder that does not exist is an error, and is not made', async () => {
    const missing = join(folder.path, 'nowhere')
    const { exitCode, data } = await runCliJson(['snapshots', 'list', '--storage', `file://${missing}`])
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'STORAGE_UNREACHABLE' })
    expect(() => statSync(missing)).toThrow('ENOENT')
  })

  test.each([
    ['a malformed bucket', 's3://Bad_Bucket', 2, 'The name of the bucket is malformed'],
    ['credentials in the URL', 's3://AKIAX:hidden-word@bucket', 2, 'credentials do not belong there'],
    ['an endpoint that nobody answers at', 's3://bucket@http://127.0.0.1:1', 1, 'ECONNREFUSED'],
  ])('s3 with %s says so, and gives no secret away', async (_, url, exitCode, says) => {
    const end = await runCliProcess(['snapshots', 'list', '--table', 'users', '--storage', url], {
      AWS_ACCESS_KEY_ID: 'AKIAY',
      AWS_SECRET_ACCESS_KEY: 'other-hidden-word',
    })
    expect(end.exitCode).toBe(exitCode)
    expect(end.stderr).toContain(says)
    expect(end.stderr).toContain('Hint:')
    expect(end.stderr).not.toMatch(/hidden-word|AKIA/)
  })

  test('s3 without credentials says where they are looked for', async () => {
    const end = await runCliProcess(['snapshots', 'list', '--storage', 's3://bucket@http://127.0.0.1:1'], {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/nowhere',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_PROFILE: undefined,
    })
    expect(end.exitCode).toBe(1)
    expect(end.stderr).toContain('AWS_ACCESS_KEY_ID')
  })
})
