/** Validating restored tables and planning their way back on the command line, against a real database. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeTemporaryFolder, runCliJson, runCliProcess, type TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

const SEED = `
CREATE SCHEMA "Odd";
CREATE TABLE "Odd"."Order" ("Id" int CONSTRAINT "the key" PRIMARY KEY, "select" json, note text UNIQUE, amount numeric CHECK (amount > 0));
CREATE INDEX "by amount" ON "Odd"."Order" (amount);
INSERT INTO "Odd"."Order" SELECT n, json_build_object('n', n), 'note ' || n, n FROM generate_series(1, 300) n;
`
const TABLE = '"Odd"."Order"'
const RECOVERED = '"Odd"."Order_recovered"'

let database: TestDatabase
let folder: TemporaryFolder
let environment: Record<string, string>
let snapshotId: string

beforeAll(async () => {
  database = await createTestDatabase(SEED)
  folder = makeTemporaryFolder()
  environment = { BACKSTOP_DB_URL: database.url, BACKSTOP_STORAGE_URL: `file://${join(folder.path, 'backups')}` }
  const taken = await runCliJson(['snapshot', '--table', TABLE], environment)
  snapshotId = taken.data.snapshot.snapshot_id
})
afterAll(async () => {
  await database.drop()
  folder.remove()
})

async function restoreAnew(): Promise<void> {
  await database.run(`DROP TABLE IF EXISTS ${RECOVERED}`)
  const restored = await runCliJson(['restore', '--table', TABLE, '--snapshot-id', snapshotId], environment)
  expect(restored.exitCode).toBe(0)
}

const validate = (...words: readonly string[]) =>
  runCliJson(['restore-validate', '--table', TABLE, '--snapshot-id', snapshotId, ...words], environment)

describe('restore-validate', () => {
  beforeEach(restoreAnew)

  test('finds a restored table whole, json and quoted names included', async () => {
    const { exitCode, data } = await validate()
    expect(exitCode).toBe(0)
    expect(data).toMatchObject({
      ok: true,
      snapshot_id: snapshotId,
      source_table: 'Odd.Order',
      target_table: 'Odd.Order_recovered',
      checks: { target_exists: true, row_count: true, indexes: true, constraints: true, sample_equality: true },
      content_equality: { compared_rows: 300, equal: true },
      target_row_count: 300,
      manifest_row_count: 300,
      expected_indexes: 3,
      actual_indexes: 3,
      invalid_constraints: [],
      sample_checked: 300,
      sample_mismatches: [],
      differences: null,
    })
    expect(data.actual_constraints).toBe(data.expected_constraints)
  })

  test('says which row and column somebody changed', async () => {
    await database.run(`UPDATE ${RECOVERED} SET amount = 7.5 WHERE "Id" = 212`)
    const { exitCode, data } = await validate()
    expect(exitCode).toBe(1)
    expect(data).toMatchObject({
      ok: false,
      checks: { target_exists: true, row_count: true, indexes: true, constraints: true, sample_equality: false },
      sample_mismatches: [{ key: { Id: '212' }, kind: 'differs', columns: ['amount'] }],
      differences: { missing_rows: 0, differing_rows: 1, unknown_rows: 0 },
    })
    const text = await runCliProcess(['restore-validate', '--table', TABLE, '--snapshot-id', snapshotId], environment)
    expect(text.exitCode).toBe(1)
    expect(text.stdout).toContain('Id 212: differs in amount')
    expect(text.stdout).not.toContain('7.5')
  })

  test('counts rows that are gone and rows that are new, and names lost indexes and keys that are not validated', async () => {
    await database.run(`DELETE FROM ${RECOVERED} WHERE "Id" <= 2; INSERT INTO ${RECOVERED} VALUES (900, NULL, 'new', 1);
      DROP INDEX "Odd"."Order_recovered_by amount"; ALTER TABLE ${RECOVERED} DROP CONSTRAINT "Order_amount_check";
      ALTER TABLE ${RECOVERED} ADD CONSTRAINT "Order_amount_check" CHECK (amount > 0) NOT VALID`)
    const { exitCode, data } = await validate()
    expect(exitCode).toBe(1)
    expect(data).toMatchObject({
      checks: { target_exists: true, row_count: false, indexes: false, constraints: false, sample_equality: false },
      target_row_count: 299,
      missing_indexes: ['Order_recovered_by amount'],
      invalid_constraints: ['Order_amount_check'],
      differences: { missing_rows: 2, differing_rows: 0, unknown_rows: 1 },
    })
    expect(data.sample_mismatches.map(({ kind }: { kind: string }) => kind).toSorted()).toEqual([
      'missing',
      'missing',
      'unknown',
    ])
  })

  test('names columns that are gone or of another type', async () => {
    await database.run(`ALTER TABLE ${RECOVERED} DROP COLUMN note, ALTER COLUMN amount TYPE integer`)
    const { exitCode, data } = await validate()
    expect({ exitCode, missing: data.missing_columns, altered: data.altered_columns }).toEqual({
      exitCode: 1,
      missing: ['note'],
      altered: ['amount'],
    })
    expect(data.checks.sample_equality).toBe(false)
  })

  test('a table that is not there is no table that was proven; the original can be proven as well', async () => {
    const absent = await validate('--target-table', 'nowhere')
    expect(absent).toMatchObject({ exitCode: 1, data: { ok: false, checks: { target_exists: false } } })
    const original = await validate('--target-table', TABLE)
    expect(original).toMatchObject({ exitCode: 0, data: { ok: true, target_table: 'Odd.Order' } })
  })
})

describe('restore-copyback-plan', () => {
  beforeEach(restoreAnew)
  const names = ['--source-table', TABLE, '--target-table', RECOVERED]

  test('works from the names of the tables, and its SQL undoes the damage', async () => {
    await database.run(`UPDATE ${TABLE} SET amount = 1; DELETE FROM ${TABLE} WHERE "Id" < 10`)
    const file = join(folder.path, 'way-back.sql')
    const plan = await runCliJson(['restore-copyback-plan', ...names, '--copyback-file', file], environment)
    expect(plan).toMatchObject({
      exitCode: 0,
      data: {
        source_table: 'Odd.Order',
        target_table: 'Odd.Order_recovered',
        snapshot_id: snapshotId,
        conflict_policy: 'overwrite',
        copyback: { kind: 'bring-back-rows', aside: [] },
      },
    })
    expect(readFileSync(file, 'utf8')).toBe(`${plan.data.copyback.statements.join(';\n')};\n`)
    await database.run(readFileSync(file, 'utf8'))
    expect((await validate('--target-table', TABLE)).data.ok).toBe(true)
  })

  test('leaves rows alone under skip, refuses under fail, and never removes what the snapshot does not know', async () => {
    await database.run(
      `UPDATE ${TABLE} SET amount = 5 WHERE "Id" = 100; INSERT INTO ${TABLE} VALUES (901, NULL, 'newer', 1)`,
    )
    const skip = await runCliJson(['restore-copyback-plan', ...names, '--conflict-policy', 'skip'], environment)
    expect(skip.data.copyback).toMatchObject({ kind: 'nothing-to-do', statements: [] })
    const fail = await runCliJson(['restore-copyback-plan', ...names, '--conflict-policy', 'fail'], environment)
    expect(fail).toMatchObject({ exitCode: 1, data: { error: { code: 'RESTORE_TARGET_EXISTS' } } })
    const overwrite = await runCliJson(['restore-copyback-plan', ...names], environment)
    await database.run(overwrite.data.copyback.statements.join(';\n'))
    expect(await database.run(`SELECT note FROM ${TABLE} WHERE "Id" = 901`)).toEqual([{ note: 'newer' }])
    await database.run(overwrite.data.copyback.aside.join(';\n'))
    expect(await database.run(`SELECT note FROM "Odd"."Order_recovered_aside"`)).toEqual([{ note: 'newer' }])
    expect((await validate('--target-table', TABLE)).data.ok).toBe(true)
  })

  test('says what to give when the restored table is no snapshot any more', async () => {
    await database.run(`UPDATE ${RECOVERED} SET amount = 5 WHERE "Id" = 100`)
    const plan = await runCliJson(['restore-copyback-plan', ...names], environment)
    expect(plan).toMatchObject({ exitCode: 2, data: { error: { code: 'USAGE_INVALID' } } })
    expect(plan.data.error.message).toContain('give --snapshot-id')
  })
})
