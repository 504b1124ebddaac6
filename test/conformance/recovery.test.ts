/** Troubleshooting, checksum mismatch and no valid snapshots; checklist, recovery: what is offered, and what never is. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { covers } from '#test/support/pages/lines/index.ts'
import { type BucketWorld, startOnBucket, untilCaptured } from '#test/support/pages/world.ts'
import { createTestDatabase } from '#test/support/postgres.ts'

interface ListedPoint {
  readonly snapshot_id: string
  readonly status: string
  readonly manifest_key: string
}

const LIST = 'backstop snapshots list --table users --storage $STORAGE'
const RECOVER = 'backstop recover --table users --storage $STORAGE --db $BACKSTOP_DB_URL --yes'

let world: BucketWorld
beforeAll(async () => {
  world = await startOnBucket({ environment: { BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: '3600' } })
  await untilCaptured(world)
})
afterAll(() => world.stop())

async function capture(table = 'users'): Promise<ListedPoint> {
  const { status, json } = await world.post(`/admin/snapshot?table=${table}`, 'admin')
  expect(status).toBe(200)
  return json
}

async function partOf(point: ListedPoint): Promise<string> {
  const folder = point.manifest_key.replace('manifest.json', '')
  const found = (await world.bucket.keys()).find((key) => key.startsWith(folder) && key.endsWith('.parquet'))
  return found ?? expect.fail(`${folder} holds no part`)
}

async function readObject(key: string): Promise<Buffer> {
  const { Body } = await world.bucket.client.send(new GetObjectCommand({ Bucket: world.bucket.name, Key: key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

async function writeObject(key: string, content: Uint8Array): Promise<void> {
  await world.bucket.client.send(new PutObjectCommand({ Bucket: world.bucket.name, Key: key, Body: content }))
}

async function flipBit(key: string): Promise<void> {
  const bytes = await readObject(key)
  bytes.writeUInt8((bytes.at(bytes.length >> 1) ?? 0) ^ 1, bytes.length >> 1)
  await writeObject(key, bytes)
}

async function listed(more = ''): Promise<ListedPoint[]> {
  return JSON.parse(await world.shell.read(`${LIST} ${more} --json`)).snapshots
}

async function dropRecovered(): Promise<void> {
  await world.db.run('DROP TABLE IF EXISTS users_recovered')
}

const MISMATCH = /^Error: manifest checksum mismatch — snapshot may be corrupted$/m

describe('checksum mismatch', () => {
  let older: ListedPoint
  let newest: ListedPoint
  beforeAll(async () => {
    older = await capture()
    newest = await capture()
  })

  covers('T43', 'recover ends with these words, exits 1, and nothing was restored', async () => {
    await flipBit(await partOf(newest))
    const end = await world.shell.run(`${RECOVER} --snapshot-id ${newest.snapshot_id}`)
    expect(end).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(MISMATCH) })
    expect(await world.db.run(`SELECT to_regclass('users_recovered') IS NULL AS gone`)).toEqual([{ gone: true }])
  })

  covers('T44', 'one changed byte of a manifest is found out as well', async () => {
    const point = await capture()
    const text = (await readObject(point.manifest_key)).toString()
    await writeObject(point.manifest_key, Buffer.from(text.replace('"users"', '"uzers"')))
    const end = await world.shell.run(`${RECOVER} --snapshot-id ${point.snapshot_id} --metadata-db $METADATA`)
    expect(end.exitCode).toBe(1)
    expect(end.stderr).toMatch(/checksum mismatch|manifest/i)
  })

  covers('T45', 'a part that is cut short is no valid point of the list', async () => {
    const point = await capture()
    const whole = await readObject(await partOf(point))
    await writeObject(await partOf(point), whole.subarray(0, whole.length >> 1))
    const answer = JSON.parse(await world.shell.read(`${LIST} --json`))
    expect(answer.snapshots.map((one: ListedPoint) => one.snapshot_id)).not.toContain(point.snapshot_id)
    expect(JSON.stringify(answer.problems)).toContain(point.snapshot_id)
  })

  covers('T46', 'doctor says that objects can be deleted there; with --strict that is a failure', async () => {
    const line = 'backstop doctor storage-permissions --storage $STORAGE --json'
    const plain = await world.shell.run(line)
    expect(JSON.parse(plain.stdout)).toMatchObject({ ok: true, delete_allowed: true })
    const strict = await world.shell.run(`${line} --strict`)
    expect(strict.exitCode).toBe(1)
    expect(JSON.parse(strict.stdout)).toMatchObject({ ok: false, delete_allowed: true, strict: true })
  })

  covers('T47', 'it lists the valid ones, newest first', async () => {
    const text = await world.shell.read(LIST)
    expect(text).toContain(older.snapshot_id)
    const ids = (await listed()).map((point) => point.snapshot_id)
    expect(ids.indexOf(older.snapshot_id)).toBeGreaterThanOrEqual(0)
    const all = (await world.get('/metadata/snapshots?table=users', 'ops')).json as ListedPoint[]
    expect(ids).toEqual(all.map((point) => point.snapshot_id).filter((id) => ids.includes(id)))
  })

  covers('T48', 'the next older one is restored whole', async () => {
    await dropRecovered()
    const end = await world.shell.run(`${RECOVER} --snapshot-id ${older.snapshot_id}`)
    expect(end).toMatchObject({ exitCode: 0, stderr: '' })
    const same = `SELECT count(*)::int AS rows FROM (TABLE users INTERSECT TABLE users_recovered) both_have`
    expect(await world.db.run(same)).toEqual([{ rows: 100 }])
  })

  covers('T49', 'doctor launch is not ready with a corrupt point alone; the destruction is held off', async () => {
    await world.db.run('CREATE TABLE lonely (id int PRIMARY KEY); INSERT INTO lonely VALUES (1)')
    const point = await capture('lonely')
    await flipBit(await partOf(point))
    const restored = await world.shell.run(
      `backstop recover --table lonely --storage $STORAGE --db $BACKSTOP_DB_URL --metadata-db $METADATA --yes --snapshot-id ${point.snapshot_id}`,
    )
    expect(restored.exitCode).toBe(1)
    const launch = await world.shell.run(
      'backstop doctor launch --storage $STORAGE --table lonely --metadata-db $METADATA --db $BACKSTOP_DB_URL --json',
    )
    expect(launch.exitCode).toBe(1)
    expect(JSON.parse(launch.stdout)).toMatchObject({ verdict: 'not_ready' })
    expect(JSON.stringify(JSON.parse(launch.stdout).blocking)).toContain('snapshot')
  })

  covers(
    'T50',
    'what was set aside is refused when it is asked for, and the older one is taken by itself',
    async () => {
      await world.db.run('CREATE TABLE pair (id int PRIMARY KEY); INSERT INTO pair VALUES (1)')
      const [good, bad] = [await capture('pair'), await capture('pair')]
      await flipBit(await partOf(bad))
      const line = `${RECOVER.replace('users', 'pair')} --metadata-db $METADATA`
      expect((await world.shell.run(`${line} --non-interactive`)).stderr).toMatch(MISMATCH)
      expect((await world.shell.run(`${line} --snapshot-id ${bad.snapshot_id}`)).exitCode).toBe(1)
      const guided = JSON.parse(await world.shell.read(`${line} --non-interactive --json`))
      expect(guided).toMatchObject({ ok: true, snapshot_id: good.snapshot_id })
    },
  )

  covers('T51', 'the product neither deletes nor mends it, and tells of it', async () => {
    const before = await readObject(await partOf(newest))
    await world.shell.run(`${RECOVER} --metadata-db $METADATA --snapshot-id ${newest.snapshot_id}`)
    expect(await readObject(await partOf(newest))).toEqual(before)
    const page = (await world.get('/metadata/snapshots?table=users&latest_valid=false', 'ops')).json as ListedPoint[]
    expect(page.find((point) => point.snapshot_id === newest.snapshot_id)).toMatchObject({ status: 'quarantined' })
  })

  covers('T52', 'the warning names what to do about a bucket that lets objects be deleted', async () => {
    const { stdout } = await world.shell.run('backstop doctor storage-permissions --storage $STORAGE --json')
    expect(JSON.parse(stdout).warnings.join(' ')).toMatch(/lock|delete/i)
  })

  covers('T53', 'the hint of the error says the previous one; recover knows both other ways', async () => {
    await dropRecovered()
    const { stderr } = await world.shell.run(`${RECOVER} --snapshot-id ${newest.snapshot_id}`)
    expect(stderr).toMatch(/^Hint: .*previous snapshot/m)
    expect(await world.shell.read('backstop recover --help')).toMatch(/"table",\s+"set",\s+"logical",\s+"pitr"/)
  })
})

describe('no valid snapshots', () => {
  covers('T54', 'the list leaves out what is corrupt, and has the checksum of what it names', async () => {
    const point = await capture()
    await flipBit(await partOf(point))
    await world.shell.run(`${RECOVER} --metadata-db $METADATA --snapshot-id ${point.snapshot_id}`)
    const offered = await listed('--metadata-db $METADATA')
    const valid = offered.filter(({ status }) => status === 'valid')
    expect(valid.length).toBeGreaterThan(0)
    expect(valid.map((one) => one.snapshot_id)).not.toContain(point.snapshot_id)
    for (const one of valid) expect(one).toHaveProperty('manifest_sha256', expect.stringMatching(/^[0-9a-f]{64}$/))
  })

  covers('T55', 'it answers 200 while captures are healthy', async () => {
    const answer = await world.shell.read('curl -s -w "\\n%{http_code}" $SIDECAR_URL/health')
    expect(answer.trim()).toMatch(/200$/)
    expect(answer).toContain('"status":"healthy"')
  })

  covers('T56', 'it needs metadata:read, or no token where the metrics are public', async () => {
    const closed = JSON.parse(await world.shell.read('curl -s $BACKSTOP_URL/metadata/health'))
    expect(closed).toMatchObject({ error: 'unauthorized' })
    const open = await startOnBucket({ environment: { BACKSTOP_PUBLIC_METRICS: 'true' } })
    try {
      const answer = JSON.parse(await open.shell.read('curl -s $BACKSTOP_URL/metadata/health'))
      expect(answer).toMatchObject({ gateway: 'healthy', storage_accessible: true })
    } finally {
      await open.stop()
    }
  })

  covers('T57', 'it writes and reads there, and says whether deleting is allowed', async () => {
    const { stdout } = await world.shell.run('backstop doctor storage-permissions --storage $STORAGE --strict --json')
    expect(JSON.parse(stdout)).toMatchObject({ write_ok: true, read_ok: true, strict: true, bucket: world.bucket.name })
  })

  covers('T58', 'it takes the flags of the page', async () => {
    expect(await world.shell.read(`${LIST} --db $BACKSTOP_DB_URL`)).toContain('snap_')
    const none = await world.shell.run(
      'backstop recover --table nowhere --storage $STORAGE --db $BACKSTOP_DB_URL --yes',
    )
    expect(none).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no valid snapshots') })
    expect(none.stderr).toContain('backstop snapshots list')
  })

  covers('T59', 'it looks for base backups of the server, and says when there is none', async () => {
    const end = await world.shell.run('backstop recover --type pitr --cluster-id prod --storage $STORAGE --yes')
    expect(end).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there is no base backup') })
  })

  covers('T60', 'it restores the database from the newest dump', async () => {
    const target = await createTestDatabase()
    try {
      const line = 'backstop recover --type logical --storage $STORAGE --db $TARGET --yes'
      const none = await world.shell.run(line, { TARGET: target.url })
      expect(none).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no valid logical backup') })
      await world.shell.read('backstop backup logical-create --storage $STORAGE')
      await world.shell.read(line, { TARGET: target.url })
      expect(await target.run('SELECT count(*)::int AS rows FROM users')).toEqual([{ rows: 100 }])
    } finally {
      await target.drop()
    }
  })

  covers('T61', 'no flag makes it restore one that is corrupt', async () => {
    const point = await capture()
    await flipBit(await partOf(point))
    await dropRecovered()
    for (const more of ['', '--conflict-policy overwrite', '--non-interactive', '--dry-run']) {
      const end = await world.shell.run(`${RECOVER} --snapshot-id ${point.snapshot_id} ${more}`)
      expect({ more, ...end }).toMatchObject({ more, exitCode: 1, stderr: expect.stringMatching(MISMATCH) })
    }
    expect(await world.db.run(`SELECT to_regclass('users_recovered') IS NULL AS gone`)).toEqual([{ gone: true }])
  })
})

describe('the checklist', () => {
  covers(
    'C18',
    'the table is made in a database that is thrown away, equal in content; the real one is not touched',
    async () => {
      const target = await createTestDatabase()
      try {
        const line = 'backstop recover --table ledger --storage $STORAGE --db $TARGET --yes --json'
        const answer = JSON.parse(await world.shell.read(line, { TARGET: target.url }))
        expect(answer).toMatchObject({ ok: true, row_count: 10 })
        const sum = 'SELECT sum(amount)::int AS total FROM'
        expect(await target.run(`${sum} ledger_recovered`)).toEqual(await world.db.run(`${sum} ledger`))
      } finally {
        await target.drop()
      }
    },
  )

  covers('C41', 'it restores beside the original, and its SQL brings a dropped table back', async () => {
    await capture('ledger')
    await world.db.run('DROP TABLE ledger')
    const line =
      'backstop recover --db $BACKSTOP_DB_URL --storage $STORAGE --table ledger --yes --copyback-file way-back.sql'
    expect(await world.shell.read(line)).toContain('ledger_recovered')
    expect(readFileSync(join(world.folder.path, 'way-back.sql'), 'utf8')).toContain('ledger')
    await world.shell.read('psql "$BACKSTOP_DB_URL" -v ON_ERROR_STOP=1 -f way-back.sql')
    expect(await world.db.run('SELECT count(*)::int AS rows FROM ledger')).toEqual([{ rows: 10 }])
  })
})
