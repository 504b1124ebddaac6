/** How many sessions the commands capture a large table with: as BACKSTOP_CAPTURE_WORKERS says. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { workerCount } from '#lib/cli/frame/index.ts'
import { openRecoveryTools } from '#lib/runtime/tools/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'

let db: TestDatabase
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backstop-workers-'))
  db = await createTestDatabase(`CREATE TABLE large AS SELECT i AS id, repeat(md5(i::text), 30) AS body
    FROM generate_series(1, 80000) i`)
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await db?.drop()
})

async function rangesWith(setting: string): Promise<number> {
  const locations = { dbUrl: db.url, storageUrl: pathToFileURL(folder).href }
  const tools = await openRecoveryTools({ ...locations, ...workerCount({ BACKSTOP_CAPTURE_WORKERS: setting }) })
  try {
    const point = await tools.recovery.capture({ schema: 'public', name: 'large' }, 'manual')
    const { manifest } = await tools.recovery.readManifest(point.snapshotId)
    expect(manifest.content.rowCount).toBe(80_000)
    return new Set(manifest.parts.map(({ key }) => /part-(\d{5})-/.exec(key)?.[1])).size
  } finally {
    await tools.close()
  }
}

test('one session captures the table as one range, two as several', async () => {
  expect(await rangesWith('1')).toBe(1)
  expect(await rangesWith('2')).toBe(2)
})

test('what is no number of sessions is refused', () => {
  expect(workerCount({ BACKSTOP_CAPTURE_WORKERS: '' })).toEqual({})
  for (const wrong of ['33', '-1', 'two', '1.5']) {
    expect(() => workerCount({ BACKSTOP_CAPTURE_WORKERS: wrong })).toThrow(
      expect.objectContaining({ code: 'USAGE_INVALID' }),
    )
  }
})
