/** Checklist, storage and drills: what has to be proven before the first statement of an agent. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { covers } from '#test/support/pages/lines/index.ts'
import { type BucketWorld, startOnBucket, untilCaptured } from '#test/support/pages/world.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

const WAL_DRILL = 'backstop drill wal-archive-fetch --storage $STORAGE --cluster-id prod'
const PREPARE_DRILL = 'backstop drill pitr-prepare --storage $STORAGE --cluster-id prod --simulate'
const LOGICAL_DRILL =
  'backstop drill logical-backup-restore --source-db $BACKSTOP_DB_URL --target-db $TARGET --storage $STORAGE'
const LAUNCH = 'backstop doctor launch --storage $STORAGE --table users'
const TEN_MINUTES_MS = 600_000

let world: BucketWorld
let target: TestDatabase
beforeAll(async () => {
  world = await startOnBucket()
  target = await createTestDatabase()
  await untilCaptured(world)
})
afterAll(async () => {
  await world.stop()
  await target.drop()
})

async function launch() {
  const end = await world.shell.run(`${LAUNCH} --metadata-db $METADATA --json`)
  return { exitCode: end.exitCode, ...JSON.parse(end.stdout) }
}

const keysBelow = async (prefix: string) => (await world.bucket.keys()).filter((key) => key.startsWith(prefix))

describe('before the drills', () => {
  covers('C06', 'it proves writing and reading, and a bucket that lets objects be deleted fails', async () => {
    const { exitCode, stdout } = await world.shell.run(
      'backstop doctor storage-permissions --storage $STORAGE --strict --json',
    )
    const answer = JSON.parse(stdout)
    expect(answer).toMatchObject({ bucket: world.bucket.name, write_ok: true, read_ok: true, strict: true })
    expect({ exitCode, ok: answer.ok }).toEqual(
      answer.delete_allowed ? { exitCode: 1, ok: false } : { exitCode: 0, ok: true },
    )
  })

  covers('C12', 'until then the launch is not ready, and says which drill is missing and how to run it', async () => {
    const { verdict, ...rest } = await launch()
    expect(verdict).not.toBe('ready')
    expect(JSON.stringify(rest)).toMatch(/drill/)
  })
})

describe('the drills', () => {
  covers('C13', 'it ends well and leaves the archive of the cluster as it was', async () => {
    const before = await keysBelow('wal/prod/')
    expect(await world.shell.read(`${WAL_DRILL} --metadata-db $METADATA`)).not.toBe('')
    expect(await keysBelow('wal/prod/')).toEqual(before)
  })

  covers('C14', 'it ends well without a folder being named', async () => {
    expect(await world.shell.read(`${PREPARE_DRILL} --metadata-db $METADATA`)).not.toBe('')
  })

  covers('C15', 'it ends well; the source is only read', async () => {
    const tables = `SELECT count(*)::int AS count FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`
    const before = await world.db.run(tables)
    expect(await world.shell.read(`${LOGICAL_DRILL} --metadata-db $METADATA`, { TARGET: target.url })).not.toBe('')
    expect(await world.db.run(tables)).toEqual(before)
  })

  covers('C20', 'its members say which segment, and that it ended well', async () => {
    const answer = JSON.parse(await world.shell.read(`${WAL_DRILL} --metadata-db $METADATA --json`))
    expect(answer).toMatchObject({
      ok: true,
      drill: 'wal-archive-fetch',
      wal_name: expect.stringMatching(/^[0-9A-F]{24}$/),
      key: expect.any(String),
    })
  })

  covers('C21', 'its members say what was prepared', async () => {
    const answer = JSON.parse(await world.shell.read(`${PREPARE_DRILL} --metadata-db $METADATA --json`))
    expect(answer).toMatchObject({
      ok: true,
      drill: 'pitr-prepare',
      target_dir: expect.any(String),
      backup_id: expect.any(String),
      recovery_signal: expect.anything(),
      restore_command: expect.anything(),
    })
  })

  covers('C22', 'its members say what was dumped, restored and counted', async () => {
    const line = `${LOGICAL_DRILL} --metadata-db $METADATA --json`
    const answer = JSON.parse(await world.shell.read(line, { TARGET: target.url }))
    expect(answer).toMatchObject({
      ok: true,
      drill: 'logical-backup-restore',
      backup_id: expect.any(String),
      row_count: expect.any(Number),
    })
    expect(answer.row_count).toBeGreaterThan(0)
  })
})

describe('after the drills', () => {
  covers('C10', 'every item that is not good names its remedy; none blocks', async () => {
    await world.shell.read('backstop drill table-restore --table users --storage $STORAGE --metadata-db $METADATA')
    const answer = await launch()
    console.log(
      `launch: ${answer.verdict}; ${answer.degraded.map((item: { check: string; problem: string }) => `${item.check}: ${item.problem}`).join('; ')}`,
    )
    expect(['ready', 'degraded']).toContain(answer.verdict)
    expect(answer).toMatchObject({ exitCode: 0, blocking: [] })
    expect(Object.keys(answer.checks).length).toBeGreaterThanOrEqual(5)
    for (const item of answer.degraded) {
      expect(item).toMatchObject({
        check: expect.any(String),
        problem: expect.stringMatching(/\w/),
        fix: expect.stringMatching(/\w/),
      })
    }
    const { checks } = answer as {
      checks: Record<string, { status: string; looked_at: string[]; findings: { fix: string }[] }>
    }
    for (const [name, { status, findings }] of Object.entries(checks)) {
      if (status === 'degraded') expect({ name, fixes: findings.length }).not.toEqual({ name, fixes: 0 })
      for (const { fix } of findings) expect(fix).toMatch(/\w/)
    }
  })

  covers('C19', 'with every drill clean, roles of their own and somebody who is told, it is ready', async () => {
    const [gateway, agent] = [`gateway_${target.name}`, `agent_${target.name}`]
    const password = 'a-password-of-this-test'
    await world.shell.read(
      `backstop init-roles --gateway-role ${gateway} --agent-role ${agent} | psql "$BACKSTOP_DB_URL" -v ON_ERROR_STOP=1`,
    )
    await world.db.run(`ALTER ROLE ${gateway} PASSWORD '${password}'`)
    const end = await world.shell.run(`${LAUNCH} --metadata-db $METADATA --json`, {
      BACKSTOP_DB_URL: world.db.urlAs(gateway, password),
      BACKSTOP_AGENT_ROLE: agent,
      BACKSTOP_ALERT_WEBHOOK: 'http://127.0.0.1:9/alerts',
    })
    await world.db.run(`DROP OWNED BY ${gateway}, ${agent}; DROP ROLE ${gateway}, ${agent}`)
    const answer = JSON.parse(end.stdout)
    expect({
      exitCode: end.exitCode,
      degraded: answer.degraded,
      blocking: answer.blocking,
      verdict: answer.verdict,
    }).toEqual({
      exitCode: 0,
      degraded: [],
      blocking: [],
      verdict: 'ready',
    })
    expect(Object.keys(answer.checks)).toEqual(
      expect.arrayContaining(['native_tools', 'storage_permissions', 'snapshot_readiness', 'metadata_health']),
    )
  })

  covers(
    'C16',
    'it runs to its end',
    async () => {
      await world.shell.read('cd "$ROOT" && npm run --silent e2e', { ROOT: process.cwd() })
    },
    TEN_MINUTES_MS,
  )

  covers(
    'C17',
    'it runs to its end',
    async () => {
      await world.shell.read('cd "$ROOT" && npm run --silent e2e:pitr', { ROOT: process.cwd() })
    },
    TEN_MINUTES_MS,
  )
})
