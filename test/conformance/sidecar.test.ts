/** Troubleshooting, stale sidecar and no new snapshots; checklist, observability of captures: the background work, seen from outside. */
import { afterAll, beforeAll, describe, expect, inject } from 'vitest'
import { type FaultProxy, startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { makeBucket } from '#test/support/cloud/s3.ts'
import { eventually } from '#test/support/eventually.ts'
import { covers } from '#test/support/pages/lines/index.ts'
import {
  AWS,
  type BucketWorld,
  type PageWorld,
  startOnBucket,
  startPages,
  untilCaptured,
} from '#test/support/pages/world.ts'

const REFUSED = { kind: 'error', status: 403, name: 'AccessDenied' } as const
const HEALTH = 'curl -fsS -H "Authorization: Bearer $OPS_TOKEN" $BACKSTOP_URL/metadata/health'

async function healthOf(world: PageWorld) {
  return JSON.parse(await world.shell.read(HEALTH))
}

async function alertsOf(world: PageWorld, eventType: string) {
  const { json } = await world.get('/metadata/alerts?limit=100', 'ops')
  return json.items.filter((one: { event_type: string }) => one.event_type === eventType)
}

describe('a capture that rests', () => {
  let late: PageWorld
  beforeAll(async () => {
    late = await startPages({
      environment: { BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: '3600' },
      policy: { max_sidecar_heartbeat_seconds: 1 },
    })
    await untilCaptured(late)
  })
  afterAll(() => late.stop())

  covers('T30', 'the health page says so when the heartbeat is older than the policy allows', async () => {
    const stale = await eventually(
      async () => {
        const health = await healthOf(late)
        return health.sidecar_status === 'stale' && health
      },
      { timeoutMs: 90_000, everyMs: 100, what: 'a stale heartbeat' },
    )
    expect(stale.gateway).toBe('healthy')
  })

  covers('T31', 'it is a whole number of seconds that grows while nothing is captured', async () => {
    const first = (await healthOf(late)).sidecar_heartbeat_age_seconds
    expect(Number.isInteger(first)).toBe(true)
    await eventually(async () => (await healthOf(late)).sidecar_heartbeat_age_seconds > first, {
      timeoutMs: 90_000,
      everyMs: 100,
      what: 'an older heartbeat',
    })
  })

  covers(
    'C39',
    'the interval is set, nothing is captured in between, and a point is taken when it is asked for',
    async () => {
      const before = (await late.get('/metadata/snapshots?table=users', 'ops')).json
      await late.query("UPDATE users SET name = 'later' WHERE id = 1")
      expect((await late.get('/metadata/snapshots?table=users', 'ops')).json).toHaveLength(before.length)
      await late.shell.read('backstop snapshot --table users --storage $STORAGE --metadata-db $METADATA')
      expect((await late.get('/metadata/snapshots?table=users', 'ops')).json).toHaveLength(before.length + 1)
      const wrong = await late.shell.run('backstop up --port 0 --data other', {
        BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: 'x',
      })
      expect(wrong).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('BACKSTOP_SNAPSHOT_INTERVAL_SECONDS'),
      })
    },
  )
})

describe('a capture that works', () => {
  let world: BucketWorld
  beforeAll(async () => {
    world = await startOnBucket()
    await untilCaptured(world)
  })
  afterAll(() => world.stop())

  covers(
    'T32',
    'that is the limit unless the policy says otherwise, and a running capture stays below it',
    async () => {
      const status = (await world.get('/admin/status', 'admin')).json
      expect(status.policy.max_sidecar_heartbeat_seconds).toBe(120)
      const health = await healthOf(world)
      expect(health.sidecar_status).toBe('healthy')
      expect(health.sidecar_heartbeat_age_seconds).toBeLessThanOrEqual(120)
    },
  )

  covers('T33', 'the sidecar is a part of the gateway: its own port answers as long as it runs', async () => {
    const answer = JSON.parse(await world.shell.read('curl -fsS $SIDECAR_URL/health'))
    expect(answer).toMatchObject({ service: 'backstop-sync', status: 'healthy' })
  })

  covers('T34', 'one process for both: while it lives its port says since when it was seen', async () => {
    const answer = JSON.parse(await world.shell.read('curl -fsS $SIDECAR_URL/health'))
    expect(Number.isNaN(Date.parse(answer.checked_at))).toBe(false)
  })

  covers('T35', 'what it does is on the standard error of the gateway, one JSON object a line', async () => {
    await eventually(() => world.log().includes('"capture_round"'), { what: 'a round in the log' })
    // What follows the last end of a line is still being written.
    const lines = world.log().split('\n').slice(0, -1).slice(-50)
    const events = lines.map((line) => JSON.parse(line))
    expect(events).toContainEqual(expect.objectContaining({ event: 'capture_round', level: 'info', failed: 0 }))
  })

  covers('T36', 'it answers', async () => {
    expect(JSON.parse(await world.shell.read('curl -fsS $BACKSTOP_URL/health'))).toMatchObject({ status: 'ok' })
  })

  covers('T37', 'it writes, reads and deletes a test object of its own, and says so', async () => {
    const answer = JSON.parse(await world.shell.read('backstop doctor storage-permissions --storage $STORAGE --json'))
    expect(answer).toMatchObject({ ok: true, bucket: world.bucket.name, write_ok: true, read_ok: true, strict: false })
    expect((await world.bucket.keys()).filter((key) => key.includes('doctor'))).toEqual([])
  })

  covers('T42', 'it is the newest, valid and with a checksum', async () => {
    await world.post('/admin/snapshot?table=users', 'admin')
    const line = `curl -s -H "Authorization: Bearer $OPS_TOKEN" "$BACKSTOP_URL/metadata/snapshots?table=users"`
    const all = JSON.parse(await world.shell.read(line))
    expect(all.length).toBeGreaterThanOrEqual(2)
    const times = all.map(({ timestamp }: { timestamp: string }) => timestamp)
    expect(times).toEqual(times.toSorted().reverse())
    const first = JSON.parse(await world.shell.read(`${line} | jq '.[0]'`))
    expect(first).toMatchObject({
      snapshot_id: all[0].snapshot_id,
      table: 'users',
      status: 'valid',
      manifest_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  covers('C07', 'it is a number below the limit, and the status is healthy', async () => {
    const health = await healthOf(world)
    expect(health).toMatchObject({ sidecar_status: 'healthy', sidecar_heartbeat_age_seconds: expect.any(Number) })
    expect(health.sidecar_heartbeat_age_seconds).toBeLessThan(120)
  })

  covers('C08', 'each of the tables has one, proven by its checksum when it is asked for', async () => {
    for (const table of ['users', 'ledger', 'events']) {
      const listed = JSON.parse(
        await world.shell.read('backstop snapshots list --table $TABLE --storage $STORAGE --json', { TABLE: table }),
      )
      expect(listed.snapshots[0]).toMatchObject({ table, status: 'valid' })
      const proven = await world.shell.read(
        'backstop restore --table $TABLE --snapshot-id $ID --storage $STORAGE --dry-run --json',
        { TABLE: table, ID: listed.snapshots[0].snapshot_id },
      )
      expect(JSON.parse(proven)).toMatchObject({ ok: true, dry_run: true })
    }
  })

  covers('C09', 'it is below 600 while captures work', async () => {
    const health = await healthOf(world)
    expect(health.last_snapshot_age_seconds).toEqual(expect.any(Number))
    expect(health.last_snapshot_age_seconds).toBeLessThan(600)
  })

  covers('C11', 'it has the fields that are to be watched', async () => {
    expect(await healthOf(world)).toMatchObject({
      gateway: 'healthy',
      sidecar_status: 'healthy',
      sidecar_heartbeat_age_seconds: expect.any(Number),
      last_snapshot_age_seconds: expect.any(Number),
      storage_accessible: true,
      paused: false,
    })
  })
})

describe('a capture that fails', () => {
  let failing: PageWorld
  let proxy: FaultProxy
  let mend: () => void
  beforeAll(async () => {
    proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
    const bucket = await makeBucket(inject('cloudEndpoint'))
    failing = await startPages({
      environment: {
        ...AWS,
        BACKSTOP_STORAGE_URL: `s3://${bucket.name}@${proxy.endpoint}`,
        BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: '1',
        BACKSTOP_SNAPSHOT_TABLES: 'users',
      },
      policy: { max_snapshot_age_seconds: 2, max_sidecar_heartbeat_seconds: 30 },
    })
    await untilCaptured(failing, ['users'])
    // It can still be read: this is a bucket policy, or a disk that is full.
    mend = proxy.add({ service: 's3', operation: /^(PUT|POST) /, fault: REFUSED })
    await failing.db.run("UPDATE users SET name = 'changed' WHERE id = 1")
  })
  afterAll(async () => {
    await failing.stop()
    await proxy.close()
  })

  covers('T39', 'the log has the failure with its code', async () => {
    await eventually(() => /"failed":[1-9]|task_failed/.test(failing.log()), {
      timeoutMs: 90_000,
      everyMs: 100,
      what: 'a failed capture in the log',
    })
    expect(failing.log()).toMatch(/STORAGE_|SNAPSHOT_|OBJECT_/)
  })

  covers('T40', 'the health page and an alert with what to do say that the storage is at fault', async () => {
    const alerts = await eventually(
      async () => {
        const found = [
          ...(await alertsOf(failing, 'snapshot_capture_failed')),
          ...(await alertsOf(failing, 'storage_unreachable')),
        ]
        return found.length > 0 && found
      },
      { timeoutMs: 90_000, everyMs: 100, what: 'an alert' },
    )
    expect(alerts[0]).toMatchObject({ severity: 'critical', recommended_action: expect.stringMatching(/storage/i) })
  })

  covers('T38', 'the age grows, and the sidecar is not called healthy meanwhile', async () => {
    const first = (await healthOf(failing)).last_snapshot_age_seconds
    const later = await eventually(
      async () => {
        const health = await healthOf(failing)
        return health.last_snapshot_age_seconds > first + 1 && health
      },
      { timeoutMs: 90_000, everyMs: 100, what: 'an older snapshot' },
    )
    expect(later.sidecar_status).toBe('degraded')
    expect(later.sidecar_heartbeat_age_seconds).toBeLessThan(30)
  })

  covers('C34', 'the figure, the health page and an alert of its own say so', async () => {
    expect((await healthOf(failing)).sidecar_status).not.toBe('healthy')
    const { text } = await failing.get('/metrics', 'ops')
    expect(text).toMatch(/^backstop_sync_health\{status="healthy"\} 0$/m)
    expect(text).toMatch(/^backstop_sync_health\{status="(degraded|unhealthy)"\} 1$/m)
    const raised = [
      ...(await alertsOf(failing, 'snapshot_capture_failed')),
      ...(await alertsOf(failing, 'storage_unreachable')),
    ]
    expect(raised.length).toBeGreaterThan(0)
  })

  covers('C35', 'the figure has the age of each table, and an alert of its own tells of a stale one', async () => {
    const { text } = await failing.get('/metrics', 'ops')
    const age = /^backstop_sync_latest_snapshot_age_seconds\{table="public.users"\} ([\d.]+)$/m.exec(text)?.[1]
    expect(Number(age)).toBeGreaterThan(2)
    const alerts = await eventually(
      async () => {
        const found = await alertsOf(failing, 'snapshot_stale')
        return found.length > 0 && found
      },
      { timeoutMs: 90_000, everyMs: 100, what: 'an alert of a stale snapshot' },
    )
    expect(alerts[0].recommended_action).not.toBe('')
    mend()
    await eventually(async () => (await healthOf(failing)).sidecar_status === 'healthy', {
      timeoutMs: 90_000,
      everyMs: 100,
      what: 'a sidecar that has healed',
    })
  })
})
