/** Figures in CloudWatch's embedded metric format. */
import { expect, it } from 'vitest'
import { openEmfMetrics } from '#functions/shared/metrics.ts'
import { METRIC_NAMES } from '#lib/api/index.ts'

function open() {
  const lines: string[] = []
  return { lines, metrics: openEmfMetrics('prod', (line) => void lines.push(line)) }
}

it('counts a figure under the environment alone and under each of its labels', () => {
  const { lines, metrics } = open()
  metrics.noteQuery({ riskLevel: 'CRITICAL', status: 'blocked', durationMs: 25 })
  metrics.noteQuery({ riskLevel: 'CRITICAL', status: 'blocked', durationMs: 75 })
  metrics.flush()
  const parsed = lines.map((line) => JSON.parse(line))
  const queries = parsed.find((line) => METRIC_NAMES.queries in line)
  expect(queries).toMatchObject({
    environment: 'prod',
    risk: 'CRITICAL',
    status: 'blocked',
    [METRIC_NAMES.queries]: [1, 1],
    _aws: {
      CloudWatchMetrics: [
        {
          Namespace: 'Backstop',
          Dimensions: [['environment'], ['environment', 'risk'], ['environment', 'risk', 'status']],
          Metrics: [{ Name: METRIC_NAMES.queries, Unit: 'Count' }],
        },
      ],
    },
  })
  const duration = parsed.find((line) => METRIC_NAMES.duration in line)
  expect(duration).toMatchObject({ risk: 'CRITICAL', [METRIC_NAMES.duration]: [0.025, 0.075] })
  expect(lines.every((line) => line.endsWith('}\n'))).toBe(true)
})

it('writes nothing twice, nothing when nothing was noted, and never more than a line may hold', () => {
  const { lines, metrics } = open()
  metrics.flush()
  expect(lines).toEqual([])
  for (let count = 0; count < 250; count++) metrics.noteQuarantine()
  metrics.flush()
  metrics.flush()
  const values = lines.map((line) => JSON.parse(line)[METRIC_NAMES.quarantines].length)
  expect(values).toEqual([100, 100, 50])
})

it('has every figure of the product but the build', () => {
  const { lines, metrics } = open()
  metrics.noteQuery({ riskLevel: 'SAFE', status: 'executed', durationMs: 1 })
  metrics.noteApproval('approved')
  metrics.noteBlock('paused')
  metrics.noteRecoveryVerification('verified')
  metrics.noteReadiness(true, 'verified')
  metrics.noteRiskyAttempt('HIGH')
  metrics.noteQuarantine()
  metrics.noteAlert('x', 'recorded')
  metrics.setPaused(true)
  metrics.setPendingApprovals(3)
  metrics.noteSnapshot('success', 5)
  metrics.setLatestSnapshotAge('public.orders', 9)
  metrics.noteDroppedTable()
  metrics.noteBypassConnection('agent', 'psql')
  metrics.setPosture('healthy')
  metrics.noteVerified({ ok: 2, corrupt: 0, unread: 0 }, 10)
  metrics.noteRetention('removed', 3)
  metrics.noteDrill('table-restore', 'ok')
  metrics.setDrillAge('table-restore', 4)
  metrics.setCaptureHealth('healthy')
  metrics.noteRequest('callRpc', 200)
  metrics.flush()
  const names = lines.flatMap((line) => Object.keys(JSON.parse(line)).filter((name) => name.startsWith('backstop_')))
  const all = Object.values(METRIC_NAMES).filter((name) => name !== METRIC_NAMES.buildInfo)
  expect(all.length).toBeGreaterThan(15)
  expect([...new Set(names)].sort()).toEqual([...all].sort())
})
