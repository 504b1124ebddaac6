import { describe, expect, it } from 'vitest'
import { createLabelFilter, createMetrics, OTHER_LABEL } from '#lib/api/metrics/index.ts'

const PUBLISHED = [
  'backstop_gateway_queries_total',
  'backstop_gateway_approvals_total',
  'backstop_gateway_blocks_total',
  'backstop_gateway_recovery_verifications_total',
  'backstop_recovery_readiness_total',
  'backstop_agent_risky_attempts_total',
  'backstop_agent_quarantines_total',
  'backstop_gateway_alerts_total',
  'backstop_gateway_pause_state',
  'backstop_gateway_pending_approvals',
  'backstop_sync_snapshots_total',
  'backstop_sync_snapshot_rows_total',
  'backstop_sync_latest_snapshot_age_seconds',
  'backstop_sync_dropped_tables_total',
  'backstop_bypass_connections_total',
  'backstop_prevention_posture',
  'backstop_sync_health',
  'backstop_sync_verified_points_total',
  'backstop_sync_verified_bytes_total',
  'backstop_sync_retention_points_total',
  'backstop_drills_total',
  'backstop_drill_last_success_age_seconds',
  'backstop_query_duration_seconds',
  'backstop_build_info',
  'backstop_http_requests_total',
]

const open = () => createMetrics({ version: '1.2.3', environment: 'test', hasProcessMetrics: false })

describe('createMetrics', () => {
  it('publishes every metric with a help line and a type', async () => {
    const text = await open().render()
    for (const name of PUBLISHED) {
      expect(text).toMatch(new RegExp(`^# HELP ${name} \\S.+\\.$`, 'm'))
      expect(text).toMatch(new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`, 'm'))
    }
    expect(PUBLISHED.length).toBeGreaterThanOrEqual(20)
  })

  it('counts what the gate tells', async () => {
    const metrics = open()
    metrics.noteQuery({ riskLevel: 'SAFE', status: 'executed', durationMs: 2 })
    metrics.noteApproval('timeout')
    metrics.noteBlock('drop database')
    metrics.noteReadiness(false, 'group')
    metrics.setPaused(true)
    metrics.setPendingApprovals(4)
    const text = await metrics.render()
    expect(text).toContain('backstop_gateway_queries_total{risk="SAFE",status="executed"} 1')
    expect(text).toContain('backstop_query_duration_seconds_bucket{le="0.001",risk="SAFE",status="executed"} 0')
    expect(text).toContain('backstop_query_duration_seconds_bucket{le="0.0025",risk="SAFE",status="executed"} 1')
    expect(text).toContain('backstop_gateway_approvals_total{decision="timeout"} 1')
    expect(text).toContain('backstop_gateway_blocks_total{reason="drop database"} 1')
    expect(text).toContain('backstop_recovery_readiness_total{status="not_ready",reason="group"} 1')
    expect(text).toContain('backstop_gateway_pause_state 1')
    expect(text).toContain('backstop_gateway_pending_approvals 4')
  })

  it('sets exactly one posture and one state of the capture', async () => {
    const metrics = open()
    metrics.setPosture('degraded')
    metrics.setCaptureHealth('healthy')
    metrics.setCaptureHealth('paused')
    const text = await metrics.render()
    expect(text.match(/^backstop_prevention_posture\{.*\} 1$/gm)).toEqual([
      'backstop_prevention_posture{status="degraded"} 1',
    ])
    expect(text.match(/^backstop_sync_health\{.*\} 1$/gm)).toEqual(['backstop_sync_health{status="paused"} 1'])
  })

  it('bounds what client-chosen names can add', async () => {
    const metrics = open()
    for (let index = 0; index < 2_000; index += 1) metrics.noteBypassConnection('role', `app-${index}\n"`)
    const lines = (await metrics.render())
      .split('\n')
      .filter((line) => line.startsWith('backstop_bypass_connections_total{'))
    expect(lines).toHaveLength(51)
    expect(lines.at(-1)).toBe('backstop_bypass_connections_total{role="role",application="other"} 1950')
  })

  it('renders although a refresh fails, and after one that works', async () => {
    const metrics = open()
    metrics.beforeScrape(async () => {
      throw new Error('store out of reach')
    })
    metrics.beforeScrape(async () => metrics.setPendingApprovals(7))
    expect(await metrics.render()).toContain('backstop_gateway_pending_approvals 7')
  })

  it('gives each instance a registry of its own', async () => {
    const [first, second] = [open(), open()]
    first.noteQuarantine()
    expect(await first.render()).toContain('backstop_agent_quarantines_total 1')
    expect(await second.render()).toContain('backstop_agent_quarantines_total 0')
  })
})

describe('createLabelFilter', () => {
  it('keeps known labels when the bound is reached', () => {
    const filter = createLabelFilter(2)
    expect(['a', 'b', 'c', 'a'].map(filter)).toEqual(['a', 'b', OTHER_LABEL, 'a'])
    expect(createLabelFilter(1)('x'.repeat(200))).toHaveLength(64)
  })
})
