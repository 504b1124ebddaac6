import { describe, expect, it } from 'vitest'
import { decodeTableName } from '#lib/api/handler/table-name.ts'
import { createApi } from '#lib/api/index.ts'
import { callApi } from '#test/support/api/call.ts'
import { AT, createInMemoryServices, NOW_MS, SET, SETTINGS, TOKENS } from '#test/support/api/in-memory-services.ts'

function open() {
  const services = createInMemoryServices()
  const get = (path: string, token: string = TOKENS.operator) =>
    callApi(createApi(services, SETTINGS), 'GET', path, { token })
  return { services, get }
}

describe('GET /metadata/sets', () => {
  it('shows which tables are recovered together, with their one LSN', async () => {
    const answer = await open().get('/metadata/sets?limit=1')
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      items: [
        {
          set_id: SET.setId,
          status: 'valid',
          problem: null,
          origin: 'schedule',
          timestamp: SET.capturedAt,
          lsn: '0/1A2B3C',
          selection: 'group',
          group: 'checkout',
          members: [{ snapshot_id: 'snap_1', schema: 'public', table: 'orders', row_count: 7, size_bytes: 512 }],
          manifest_key: SET.manifestKey,
          manifest_sha256: SET.manifestSha256,
        },
      ],
      count: 1,
      next_cursor: 'older',
    })
  })

  it('refuses a page that would look up too many members', async () => {
    expect((await open().get('/metadata/sets?limit=101')).status).toBe(400)
  })
})

describe('GET /metadata/snapshots', () => {
  it('is an array, newest first, as jq reads it', async () => {
    const { get } = open()
    const { body } = await get('/metadata/snapshots?table=users')
    expect(body[0]).toMatchObject({
      snapshot_id: `snap_${'2'.repeat(32)}`,
      table: 'users',
      schema: 'public',
      status: 'valid',
      timestamp: AT,
      age_seconds: 0,
      row_count: 3,
    })
    expect(body).toHaveLength(2)
  })

  it('filters by schema, validity and limit', async () => {
    const { get } = open()
    expect((await get('/metadata/snapshots?table=other.users')).body).toEqual([])
    expect((await get('/metadata/snapshots?limit=1')).body).toHaveLength(1)
    expect((await get('/metadata/snapshots?table=orders&latest=valid')).body).toEqual([])
    expect((await get('/metadata/snapshots?table=users&latest_valid=true')).body).toHaveLength(1)
  })

  it.each([
    '?tabel=users',
    '?table=users&table=orders',
    '?limit=0',
    '?limit=501',
    '?limit=x',
    '?table=',
    '?table=a.b.c',
    '?__proto__=1',
    '?constructor=1',
    '?latest=yes',
  ])('refuses %s', async (query) => {
    const answer = await open().get(`/metadata/snapshots${query}`)
    expect(answer).toMatchObject({ status: 400, body: { error: 'request_invalid' } })
  })
})

describe('GET /metadata/audit', () => {
  it('shows events with who, what and what came of it', async () => {
    const { services, get } = open()
    await services.ledger.record(
      {
        action: 'statement',
        principal: 'agent',
        agentId: 'a-1',
        query: 'SELECT 1',
        riskLevel: 'SAFE',
        operation: 'SELECT',
      },
      { outcome: 'executed', rowCount: 1, durationMs: 2 },
    )
    await services.ledger.begin({ action: 'statement', principal: 'agent', agentId: 'a-2', riskLevel: 'CRITICAL' })
    const all = await get('/metadata/audit?limit=10')
    expect(all.body).toMatchObject({
      count: 2,
      next_cursor: null,
      items: [
        { agent_id: 'a-2', outcome: null, finished_at: null },
        { agent_id: 'a-1', principal: 'agent', outcome: 'executed', row_count: 1 },
      ],
    })
    expect((await get('/metadata/audit?agent_id=a-1')).body.count).toBe(1)
    expect((await get('/metadata/audit?risk=critical')).body.items).toMatchObject([{ agent_id: 'a-2' }])
    expect((await get('/metadata/audit?risk=worst')).status).toBe(400)
  })
})

describe('GET /metadata/alerts', () => {
  it('shows alerts with the recommended action', async () => {
    const { body } = await open().get('/metadata/alerts')
    expect(body.items).toMatchObject([
      {
        event_type: 'emergency_paused',
        severity: 'critical',
        status: 'sent',
        recommended_action: 'Find out why, then resume.',
      },
    ])
  })
})

describe('GET /metadata/health', () => {
  it('is flat and healthy when everything is', async () => {
    const { body } = await open().get('/metadata/health')
    expect(body).toMatchObject({
      gateway: 'healthy',
      sidecar_status: 'healthy',
      sidecar_heartbeat_age_seconds: 0,
      last_snapshot_age_seconds: 0,
      storage_accessible: true,
      database_reachable: true,
      paused: false,
      pending_approvals: 0,
    })
    expect(Object.values(body).every((value) => value === null || typeof value !== 'object')).toBe(true)
  })

  it('calls the sidecar stale after 120 seconds without a heartbeat, and not before', async () => {
    const { services, get } = open()
    services.clock.nowMs = () => NOW_MS + 120_000
    expect((await get('/metadata/health')).body).toMatchObject({
      sidecar_status: 'healthy',
      sidecar_heartbeat_age_seconds: 120,
    })
    services.clock.nowMs = () => NOW_MS + 450_000
    expect((await get('/metadata/health')).body).toMatchObject({
      sidecar_status: 'stale',
      sidecar_heartbeat_age_seconds: 450,
      last_snapshot_age_seconds: 450,
    })
  })

  it('never shows a negative age when a clock has jumped', async () => {
    const { services, get } = open()
    services.clock.nowMs = () => NOW_MS - 5_000
    expect((await get('/metadata/health')).body).toMatchObject({
      sidecar_heartbeat_age_seconds: 0,
      last_snapshot_age_seconds: 0,
    })
  })

  it('never reports as good what it could not look at', async () => {
    const { services, get } = open()
    const fail = async () => {
      throw new Error('out of reach')
    }
    Object.assign(services.health, {
      isDatabaseReachable: fail,
      isStorageAccessible: fail,
      findHeartbeat: fail,
      findNewestSnapshotAt: fail,
    })
    Object.assign(services.pause, { current: fail })
    const { status, body } = await get('/metadata/health')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      gateway: 'degraded',
      sidecar_status: 'unknown',
      sidecar_heartbeat_age_seconds: null,
      last_snapshot_age_seconds: null,
      storage_accessible: false,
      database_reachable: false,
      metadata_accessible: false,
      paused: true,
    })
  })
})

describe('GET /metrics', () => {
  it('is Prometheus text with the query duration', async () => {
    const { services, get } = open()
    services.metrics.noteQuery({ riskLevel: 'SAFE', status: 'executed', durationMs: 1 })
    const answer = await get('/metrics', TOKENS.metrics)
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(answer.text).toMatch(/^backstop_query_duration_seconds_count\{.*\} 1$/m)
  })
})

describe('decodeTableName', () => {
  it.each([
    ['users', { table: 'users' }],
    ['shop.users', { schema: 'shop', table: 'users' }],
    ['"Odd.Schema"."T""x"', { schema: 'Odd.Schema', table: 'T"x' }],
    ['public."Users"', { schema: 'public', table: 'Users' }],
    ['Users', { table: 'Users' }],
  ])('reads %s', (text, expected) => {
    expect(decodeTableName(text)).toEqual(expected)
  })

  it.each(['', '.', 'a.', '.a', 'a.b.c', '"a', 'a"b', '""', 'a\0b'])('refuses %j', (text) => {
    expect(() => decodeTableName(text)).toThrow('table must be')
  })
})
