/** Troubleshooting, latency; checklist, approvals, observability, load and incident response: the product in daily use. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { eventually } from '#test/support/eventually.ts'
import { covers } from '#test/support/pages/lines/index.ts'
import { readRunbook } from '#test/support/pages/runbook.ts'
import { type PageWorld, startPages, untilCaptured } from '#test/support/pages/world.ts'

interface Received {
  readonly path: string
  // biome-ignore lint/suspicious/noExplicitAny: three forms, looked at member by member
  readonly body: any
}

const received: Received[] = []
let receiver: Server
let world: PageWorld
beforeAll(async () => {
  receiver = createServer(async (incoming, outgoing) => {
    let body = ''
    for await (const chunk of incoming) body += String(chunk)
    received.push({ path: incoming.url ?? '', body: JSON.parse(body) })
    outgoing.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => receiver.once('listening', resolve))
  const { port } = receiver.address() as { port: number }
  world = await startPages({
    environment: {
      BACKSTOP_PUBLIC_METRICS: 'true',
      BACKSTOP_MAX_CONNECTIONS: '3',
      // The line of the page has to find a statement that still waits.
      BACKSTOP_LOCK_TIMEOUT_MS: '120000',
      BACKSTOP_ALERT_WEBHOOK: ['', 'slack+', 'pagerduty+']
        .map((form) => `${form}http://127.0.0.1:${port}/${form}`)
        .join(','),
      BACKSTOP_ALERT_ROUTING_KEY: 'the-key-of-the-service',
    },
    policy: { max_blocked_attempts_per_window: 99 },
  })
  await untilCaptured(world)
})
afterAll(async () => {
  await world.stop()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})

const figure = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN)
const metrics = async () => await world.shell.read('curl -fsS $BACKSTOP_URL/metrics')

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: world.db.url })
  await client.connect()
  return client
}

/** Captures the table until something was found while a capture was at work; a busy machine may let one end unseen. */
async function duringCapture<T>(look: () => Promise<T | undefined>): Promise<{ found: T; end: Promise<number> }> {
  const start = () => {
    const capture = {
      isOver: false,
      end: world.post('/admin/snapshot?table=wide', 'admin').then(({ status }) => status),
    }
    const over = () => {
      capture.isOver = true
    }
    capture.end.then(over, over)
    return capture
  }
  let capture = start()
  const found = await eventually<{ readonly value: T } | undefined>(
    async () => {
      const { isOver } = capture
      const value = await look()
      if (value !== undefined) return { value }
      if (isOver) {
        expect(await capture.end).toBe(200)
        capture = start()
      }
      return undefined
    },
    { timeoutMs: 90_000, everyMs: 1, what: 'a capture at work' },
  )
  return { found: found.value, end: capture.end }
}

describe('latency', () => {
  covers('T62', 'the histogram has bounds at 5 and 10 ms and below, and counts each statement', async () => {
    const count = /^backstop_query_duration_seconds_count\{[^}]*risk="SAFE"[^}]*\} (\d+)/m
    const before = figure(await metrics(), count) || 0
    for (let one = 0; one < 30; one++) await world.query('SELECT 1')
    const text = await metrics()
    expect(figure(text, count) - before).toBe(30)
    for (const bound of ['0.001', '0.005', '0.01', '0.025']) expect(text).toContain(`le="${bound}"`)
    const sum = figure(text, /^backstop_query_duration_seconds_sum\{[^}]*risk="SAFE"[^}]*\} ([\d.e-]+)/m)
    console.log(`a SAFE statement took ${((sum / figure(text, count)) * 1_000).toFixed(2)} ms on average`)
  })

  covers('T63', '/metrics has both of the process', async () => {
    const text = await metrics()
    expect(figure(text, /^process_cpu_seconds_total ([\d.]+)/m)).toBeGreaterThan(0)
    expect(figure(text, /^process_resident_memory_bytes (\d+)/m)).toBeGreaterThan(1_000_000)
  })

  covers(
    'T64',
    'a statement that waits for a lock is there under the name of the gateway, with what it waits for',
    async () => {
      const holder = await connect()
      await holder.query('BEGIN; LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE')
      const waiting = world.query('UPDATE ledger SET amount = 0 WHERE id = 1')
      const line = `psql $BACKSTOP_DB_URL -c "SELECT wait_event_type FROM pg_stat_activity WHERE application_name = 'backstop-gateway' AND datname = current_database() AND wait_event_type = 'Lock'"`
      await eventually(async () => (await world.shell.read(line)).includes('Lock\n'), { timeoutMs: 60_000 })
      await holder.query('ROLLBACK')
      await holder.end()
      await waiting
    },
  )

  covers(
    'T65',
    'a capture holds no lock that a write waits for: ACCESS SHARE alone, and an UPDATE goes through',
    async () => {
      await world.db.run(
        'CREATE TABLE wide AS SELECT n AS id, repeat(md5(n::text), 20) AS text FROM generate_series(1, 400000) n',
      )
      const client = await connect()
      const locks = `SELECT array_agg(DISTINCT l.mode) AS modes FROM pg_locks l JOIN pg_stat_progress_copy p USING (pid) WHERE l.relation = 'wide'::regclass HAVING count(*) > 0`
      const { found, end } = await duringCapture(async () => (await client.query(locks)).rows[0])
      expect(found.modes).toEqual(['AccessShareLock'])
      expect((await client.query("UPDATE wide SET text = 'changed' WHERE id = 1")).rowCount).toBe(1)
      expect(await end).toBe(200)
      await client.end()
    },
  )

  covers(
    'T66',
    'a policy of a thousand protected tables decides the same, and what it took is in the histogram',
    async () => {
      const tables = Array.from({ length: 1_000 }, (_, index) => `table_${index}`)
      const other = await startPages({
        policy: { protected_tables: tables },
        environment: { BACKSTOP_PUBLIC_METRICS: 'true' },
      })
      try {
        for (let one = 0; one < 30; one++) expect(await other.query('SELECT 1')).toMatchObject({ status: 'executed' })
        const text = await other.shell.read('curl -fsS $BACKSTOP_URL/metrics')
        const average = (what: string) =>
          figure(text, new RegExp(`^backstop_query_duration_seconds_${what}\\{[^}]*\\} ([\\d.e-]+)`, 'm'))
        expect(average('count')).toBe(30)
        console.log(`with 1,000 protected tables: ${((average('sum') / 30) * 1_000).toFixed(2)} ms on average`)
      } finally {
        await other.stop()
      }
    },
  )

  covers('T67', 'without a token where the metrics are public, else with metrics:read', async () => {
    const text = await world.shell.read('curl -s $BACKSTOP_URL/metrics | grep backstop_query_duration')
    expect(text).toMatch(/^backstop_query_duration_seconds_count\{.*\} \d+$/m)
    const closed = await startPages()
    try {
      expect((await closed.fetch('/metrics')).status).toBe(401)
      expect((await closed.get('/metrics', 'ops')).text).toContain('# TYPE backstop_query_duration_seconds histogram')
    } finally {
      await closed.stop()
    }
  })

  covers('T41', 'it is seen with the rows that it has read, and the gateway answers meanwhile', async () => {
    const client = await connect()
    const seen = `SELECT tuples_processed::int AS rows FROM pg_stat_progress_copy WHERE relid = 'wide'::regclass OR type = 'PIPE'`
    const { end } = await duringCapture(async () => (await client.query(seen)).rows[0]?.rows || undefined)
    expect(await world.query('SELECT 1')).toMatchObject({ status: 'executed' })
    expect(await end).toBe(200)
    await client.end()
  })
})

describe('approvals', () => {
  covers('C28', 'it sees what waits and decides, and nothing else', async () => {
    expect((await world.get('/pending', 'operator')).status).toBe(200)
    const held = await world.query('TRUNCATE events')
    expect((await world.post(`/deny/${held.approval_id}`, 'operator')).json).toMatchObject({ status: 'denied' })
    for (const path of ['/metadata/audit', '/admin/status'])
      expect((await world.get(path, 'operator')).status).toBe(403)
  })

  covers('C29', 'it has the statement, who asked, what it would do, and until when', async () => {
    const held = await world.query('TRUNCATE events')
    const line = 'curl -fsS -H "Authorization: Bearer $OPERATOR_TOKEN" $BACKSTOP_URL/pending'
    const { pending } = JSON.parse(await world.shell.read(line))
    expect(pending.find(({ id }: { id: string }) => id === held.approval_id)).toMatchObject({
      query: 'TRUNCATE events',
      principal: 'agent',
      risk_level: 'CRITICAL',
      expires_at: expect.any(String),
    })
  })

  covers('C30', 'a webhook, Slack and PagerDuty each get it in their own form, with what to do', async () => {
    const held = await world.query('DELETE FROM events')
    const [plain, slack, pager] = await eventually(
      () => {
        const found = ['/', '/slack+', '/pagerduty+'].map((path) =>
          received.find((one) => one.path === path && JSON.stringify(one.body).includes(held.approval_id)),
        )
        return !found.includes(undefined) && found
      },
      { timeoutMs: 60_000, everyMs: 20, what: 'the alert at all three' },
    )
    expect(plain?.body).toMatchObject({ event_type: 'approval_requested', recommended_action: expect.any(String) })
    expect(slack?.body).toMatchObject({ text: expect.stringContaining(plain?.body.recommended_action) })
    expect(pager?.body).toMatchObject({
      routing_key: 'the-key-of-the-service',
      event_action: 'trigger',
      payload: { class: 'approval_requested' },
    })
  })

  covers(
    'C31',
    'BACKSTOP_APPROVAL_TIMEOUT_SECONDS is it: every held statement says when it expires, and does',
    async () => {
      const brief = await startPages({ environment: { BACKSTOP_APPROVAL_TIMEOUT_SECONDS: '1' } })
      try {
        const held = await brief.query('TRUNCATE events')
        const state = await eventually(
          async () => {
            const { json } = await brief.get(`/approvals/${held.approval_id}`, 'agent')
            return json.status === 'expired' && json
          },
          { timeoutMs: 60_000, everyMs: 100, what: 'an approval that expires' },
        )
        expect(Date.parse(state.expires_at) - Date.parse(state.created_at)).toBe(1_000)
        expect(await brief.query('TRUNCATE events', held.approval_id)).not.toMatchObject({ status: 'executed' })
      } finally {
        await brief.stop()
      }
    },
  )
})

describe('observability', () => {
  covers('C32', 'it is the text format of Prometheus, each figure with its type', async () => {
    const text = await metrics()
    expect(text).toMatch(/^# TYPE backstop_gateway_queries_total counter$/m)
    expect(text).toMatch(/^backstop_build_info\{.*\} 1$/m)
    const names = new Set([...text.matchAll(/^([a-z_]+?)(?:_bucket|_sum|_count)?[{ ]/gm)].map(([, name]) => name))
    for (const [, typed] of text.matchAll(/^# TYPE (\S+) /gm)) names.delete(typed)
    expect([...names]).toEqual([])
  })

  covers('C33', 'the newest event comes first, with its outcome', async () => {
    const answer = await world.query('SELECT 7 AS seven')
    const line = 'curl -fsS -H "Authorization: Bearer $OPS_TOKEN" $BACKSTOP_URL/metadata/audit'
    const { items } = JSON.parse(await world.shell.read(line))
    expect(items[0]).toMatchObject({
      id: answer.audit_id,
      query: expect.stringContaining('SELECT'),
      outcome: 'executed',
    })
  })

  covers('C36', 'the audit can be asked for them, the counter has them, and their approval was told', async () => {
    const held = await world.query('DELETE FROM events')
    await world.post(`/approve/${held.approval_id}`, 'operator')
    const done = await world.query('DELETE FROM events', held.approval_id)
    expect(done).toMatchObject({ status: 'executed' })
    const { json } = await world.get('/metadata/audit?risk=CRITICAL', 'ops')
    const found = json.items.find(({ id }: { id: string }) => id === done.audit_id)
    expect(found).toMatchObject({ risk_level: 'CRITICAL', outcome: 'executed', approval_id: held.approval_id })
    expect(json.items.every(({ risk_level }: { risk_level: string }) => risk_level === 'CRITICAL')).toBe(true)
    expect(await metrics()).toMatch(/^backstop_gateway_queries_total\{risk="CRITICAL",status="executed"\} [1-9]/m)
    expect((await world.get('/metadata/alerts', 'ops')).json.items).toContainEqual(
      expect.objectContaining({ event_type: 'approval_requested' }),
    )
  })
})

describe('load', () => {
  const gateway = `SELECT pid FROM pg_stat_activity WHERE application_name = 'backstop-gateway' AND datname = current_database()`

  covers('C37', '1,000 statements of 20 callers at once are all answered, counted and written down', async () => {
    const count = /^backstop_gateway_queries_total\{risk="SAFE",status="executed"\} (\d+)/m
    const before = figure(await metrics(), count) || 0
    const answers: { status: string }[] = []
    const call = async () => {
      for (let one = 0; one < 50; one++) answers.push(await world.query('SELECT count(*) FROM users'))
    }
    await Promise.all(Array.from({ length: 20 }, call))
    expect(answers.filter(({ status }) => status !== 'executed')).toEqual([])
    expect(answers).toHaveLength(1_000)
    expect(figure(await metrics(), count) - before).toBe(1_000)
    expect(JSON.parse(readFileSync('package.json', 'utf8')).scripts.bench).toContain('test/bench/run.ts')
  })

  covers(
    'C38',
    'no more connections than BACKSTOP_MAX_CONNECTIONS allows in each pool, and the same ones again',
    async () => {
      const pids = async () => (await world.db.run(gateway)).map(({ pid }) => Number(pid))
      // Those of the tests before may have been idle for too long.
      await world.query('SELECT count(*) FROM users')
      const before = await pids()
      await Promise.all(Array.from({ length: 40 }, () => world.query('SELECT count(*) FROM users')))
      const after = await pids()
      // Two pools of three, and the captures' own.
      expect(after.length).toBeLessThanOrEqual(2 * 3 + 4)
      expect(before.filter((pid) => after.includes(pid)).length).toBeGreaterThan(0)
    },
  )
})

describe('incident response', () => {
  covers('C40', 'from then on nothing is written, until it is resumed', async () => {
    const before = await world.db.run('SELECT count(*)::int AS rows FROM users')
    const post = (what: string) =>
      `curl -fsS -X POST -H "Authorization: Bearer $ADMIN_TOKEN" $BACKSTOP_URL/admin/${what}`
    expect(JSON.parse(await world.shell.read(post('pause')))).toMatchObject({ status: 'emergency_paused' })
    expect(await world.query('DELETE FROM users WHERE id = 1')).toMatchObject({ status: 'blocked' })
    expect(await world.db.run('SELECT count(*)::int AS rows FROM users')).toEqual(before)
    expect((await world.get('/metadata/health', 'ops')).json).toMatchObject({ paused: true, gateway: 'paused' })
    expect(JSON.parse(await world.shell.read(post('resume')))).toMatchObject({ status: 'emergency_resumed' })
  })

  covers(
    'C42',
    'the gateway needs its SHA-256 alone, and commands take it from the environment or a file',
    async () => {
      const made = JSON.parse(await world.shell.read('backstop token create --id emergency --scopes "admin:*" --json'))
      expect(JSON.stringify(made.entry)).not.toContain(made.token)
      expect(made.entry.token_sha256).toBe(createHash('sha256').update(made.token).digest('hex'))
      const entries = JSON.parse(readFileSync(world.tokensPath, 'utf8')) as object[]
      writeFileSync(world.tokensPath, JSON.stringify([...entries, made.entry]))
      const authorization = `Bearer ${made.token}`
      // Slowly: an address that brings wrong tokens all the time is refused for a while.
      await eventually(async () => (await world.fetch('/admin/status', { authorization })).status === 200, {
        everyMs: 500,
      })
      expect(await world.shell.read('backstop approvals list', { BACKSTOP_TOKEN: made.token })).not.toBe('')
      const path = join(world.folder.path, 'emergency.token')
      writeFileSync(path, made.token, { mode: 0o600 })
      expect(await world.shell.read('backstop approvals list --token-file emergency.token')).not.toBe('')
    },
  )

  covers(
    'C43',
    'the runbooks are part of the product, linked from its first page, and one is followed here',
    async () => {
      const names = readdirSync('docs/runbooks')
      expect(names.length).toBeGreaterThanOrEqual(3)
      for (const name of names) expect(readFileSync('README.md', 'utf8')).toContain(`docs/runbooks/${name}`)
      expect(existsSync('test/e2e/pages/runbooks.test.ts')).toBe(true)
      const held = await world.query('TRUNCATE users')
      const steps = readRunbook('emergency-stop')
      expect(steps.length).toBeGreaterThanOrEqual(6)
      for (const { script } of steps) {
        await world.shell.read(script, {
          BACKSTOP_TOKEN: world.environment['OPERATOR_TOKEN'] ?? '',
          BACKSTOP_METADATA_DB: world.metadataPath,
          BACKSTOP_STORAGE_URL: world.storage,
          APPROVAL_ID: held.approval_id,
        })
      }
      expect(await world.query('TRUNCATE users', held.approval_id)).toMatchObject({ status: 'denied' })
    },
  )

  covers('C44', 'backstop demo walks anybody through it on a database of its own, and checks every claim', async () => {
    const text = await world.shell.read('backstop demo --json')
    const last = JSON.parse(text)
    expect(last).toMatchObject({ ok: true, false_count: 0 })
    expect(last.claim_count).toBeGreaterThan(30)
    expect(text).toContain('backstop recover')
  })
})
