/** Every command of the runbooks, run word for word against the running product. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '#test/support/eventually.ts'
import { type Guarded, startGuarded, TOKENS } from '#test/support/pages/guarded.ts'
import { makeBin, parseRunbook, readRunbook, runStep, type StepEnd } from '#test/support/pages/runbook.ts'

const CONTENT = `SELECT md5(string_agg(t::text, '|' ORDER BY id)) AS content, count(*)::int AS rows FROM users t`

let product: Guarded
let environment: Record<string, string>
beforeEach(async () => {
  product = await startGuarded()
  environment = {
    BACKSTOP_URL: product.url,
    BACKSTOP_DB_URL: product.db.url,
    BACKSTOP_STORAGE_URL: product.storage,
    BACKSTOP_METADATA_DB: product.metadataPath,
    BACKSTOP_TOKEN: TOKENS.operator,
    ADMIN_TOKEN: TOKENS.admin,
    OPS_TOKEN: TOKENS.ops,
    TABLE: 'users',
  }
  await eventually(async () => (await points()).length > 0, { timeoutMs: 60_000, what: 'a first recovery point' })
})
afterEach(() => product.stop())

async function points(): Promise<readonly { snapshot_id: string; manifest_key: string; origin: string }[]> {
  return (await product.get('/metadata/snapshots?table=users', 'ops')).json
}

/** Runs the whole runbook; each step must end as it says. */
async function follow(name: string, atLeast: number): Promise<readonly StepEnd[]> {
  const steps = readRunbook(name)
  expect(steps.length).toBeGreaterThanOrEqual(atLeast)
  const bin = makeBin(product.folder.path)
  const ends: StepEnd[] = []
  for (const { script, exitCode } of steps) {
    const end = await runStep(script, product.folder.path, bin, environment)
    expect({ script, exitCode: end.exitCode, stderr: exitCode === 0 ? end.stderr : '' }).toEqual({
      script,
      exitCode,
      stderr: '',
    })
    ends.push(end)
  }
  return ends
}

describe('runbooks', () => {
  test('a dropped table: the commands bring it back to its last row', async () => {
    const before = await product.db.run(CONTENT)
    const held = await product.query('DROP TABLE users')
    await product.post(`/approve/${held.approval_id}`, 'operator')
    expect(await product.query('DROP TABLE users', held.approval_id)).toMatchObject({ status: 'executed' })
    const ends = await follow('dropped-table', 5)
    expect(ends[0]?.stdout).toMatch(/ valid +final /)
    expect(await product.db.run(CONTENT)).toEqual(before)
  })

  test('emergency stop: the commands stop everything, deny what waits, and start it again', async () => {
    const held = await product.query('TRUNCATE users')
    environment['APPROVAL_ID'] = held.approval_id
    const [first, second, health, look, denied] = await follow('emergency-stop', 6)
    expect(first?.stdout).toContain('"status":"emergency_paused"')
    expect(second?.stdout).toContain('"pause_blocks_safe":true')
    expect(health?.stdout).toContain('"gateway":"paused"')
    expect(look?.stdout).toContain(held.approval_id)
    expect(denied?.stdout).toContain(`${held.approval_id} is denied by operator`)
    expect(await product.query('SELECT 1 AS one')).toMatchObject({ status: 'executed' })
    expect(await product.query('TRUNCATE users', held.approval_id)).toMatchObject({ status: 'denied' })
  })

  test('a corrupt snapshot: the commands find it out, keep it, and use the next older one', async () => {
    await product.post('/admin/snapshot?table=users', 'admin')
    const [newest, previous] = await points()
    environment['SNAPSHOT_ID'] = newest?.snapshot_id ?? ''
    environment['PREVIOUS_ID'] = previous?.snapshot_id ?? ''
    const folder = join(fileURLToPath(product.storage), newest?.manifest_key ?? '', '..')
    const [partName = ''] = readdirSync(folder).filter((name) => name.endsWith('.parquet'))
    const part = join(folder, partName)
    const bytes = readFileSync(part)
    bytes.writeUInt8((bytes.at(bytes.length >> 1) ?? 0) ^ 1, bytes.length >> 1)
    writeFileSync(part, bytes)
    const ends = await follow('corrupt-snapshot', 5)
    const [confirmed] = ends
    expect(ends[4]?.stdout).toMatch(/It is damaged: .*set aside/)
    expect(confirmed?.stderr).toContain('Error: manifest checksum mismatch — snapshot may be corrupted')
    expect(readFileSync(join(product.folder.path, 'incident', partName))).toEqual(bytes)
    expect(await product.db.run('SELECT count(*)::int AS rows FROM users_recovered')).toEqual([{ rows: 100 }])
  })

  test('drills: the commands prove what they are for, and leave the evidence and nothing else', async () => {
    environment['CLUSTER'] = 'prod'
    const tables = `SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information)' ORDER BY 1, 2`
    const before = await product.db.run(tables)
    const ends = await follow('drills', 5)
    expect(JSON.parse(ends[2]?.stdout ?? '')).toMatchObject({ ok: true, drill: 'wal-archive-fetch' })
    expect(JSON.parse(ends[3]?.stdout ?? '')).toMatchObject({ ok: true, drill: 'pitr-prepare', recovery_signal: true })
    expect(ends[4]?.stdout).toMatch(/verdict +degraded/)
    for (const kind of ['table-restore', 'wal-archive-fetch', 'pitr-prepare']) {
      expect(ends[4]?.stdout).toMatch(new RegExp(`^${kind} +\\S+ +ok `, 'm'))
    }
    expect(await product.db.run(tables)).toEqual(before)
  })

  test('a session past the gate: the commands find it, end it and make roles with which it cannot come again', async () => {
    const role = `past_${product.db.name}`
    await product.db.run(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
    const client = new Client({ connectionString: product.db.urlAs(role, 'x'), application_name: 'a-stranger' })
    const ended = new Promise<void>((resolve) => client.on('error', () => resolve()))
    await client.connect()
    environment['ADMIN_DB_URL'] = product.db.url
    environment['ROLE'] = role
    const [look, , roles, health] = await follow('bypass', 4)
    await ended
    expect(look?.stdout).toContain('a-stranger')
    expect(roles?.stdout).toMatch(/yes/)
    expect(roles?.stdout).not.toMatch(/\bNO\b/)
    expect(health?.stdout).toContain('"prevention_posture"')
    await expect(new Client({ connectionString: product.db.urlAs(role, 'x') }).connect()).rejects.toThrow(
      /not permitted/,
    )
    await product.db.run(
      `DROP ROLE ${role}; DROP OWNED BY backstop, backstop_agent; DROP ROLE backstop, backstop_agent`,
    )
  })

  test('retention: a run that removes nothing, a pin and a hold that keep a point', async () => {
    const [point] = await points()
    environment['SNAPSHOT_ID'] = point?.snapshot_id ?? expect.fail('there is no point')
    const ends = await follow('retention', 2)
    expect(ends[0]?.stdout).toContain('users')
    expect(ends[1]?.stdout).toContain('case 2027-14')
    expect(ends[1]?.stdout).toContain(environment['SNAPSHOT_ID'])
  })

  test('there is a test for each of them, and a step that ends otherwise than it says is found', async () => {
    const names = readdirSync(new URL('../../../docs/runbooks/', import.meta.url)).toSorted()
    expect(names).toEqual([
      'bypass.md',
      'corrupt-snapshot.md',
      'drills.md',
      'dropped-table.md',
      'emergency-stop.md',
      'retention.md',
    ])
    const steps = parseRunbook('a\n```sh\ntrue\nfalse\n```\nb\n```sh exit=3\nexit 3\n```\n```\nno shell\n```\n')
    expect(steps).toEqual([
      { script: 'true\nfalse\n', exitCode: 0 },
      { script: 'exit 3\n', exitCode: 3 },
    ])
    const ends = await Promise.all(steps.map(({ script }) => runStep(script, product.folder.path, '/bin', {})))
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([1, 3])
  })
})
