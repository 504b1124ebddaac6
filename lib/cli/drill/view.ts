/** The evidence of a drill as JSON and for people. */
import { BackstopError, displayRelation, ERRORS, type ErrorCode } from '#lib/kernel/index.ts'
import type { DrillEvidence, StoredDrill } from '#lib/recovery/index.ts'
import type { CommandResult } from '../frame/index.ts'
import { type Block, type Cell, formatDuration, type Tone } from '../terminal/index.ts'

const MS = 1_000

/** What was drilled, in a word. */
export function subjectOf({ kind, relation, clusterId, database }: DrillEvidence): string {
  if (relation !== null) return displayRelation(relation)
  if (clusterId !== null) return clusterId
  return kind === 'table-restore' ? 'no table' : database
}

function hintOf(code: string): string {
  if (code.startsWith('SQLSTATE_')) return 'The database refused it; what it said is in the message.'
  return code in ERRORS ? ERRORS[code as ErrorCode].hint : new BackstopError('BUG', '').hint
}

/** Of a drill that failed, and of one that proved nothing. */
function errorOf({ result, failure, skipped }: DrillEvidence) {
  if (result === 'ok') return {}
  const { code, reason } = failure ?? { code: 'NOTHING_DRILLED', reason: skipped[0]?.reason ?? 'nothing was drilled' }
  const hint = failure === null ? 'See what was skipped, and why.' : hintOf(code)
  return { error: { code, message: reason, hint } }
}

export function drillData({ evidence, key, sha256 }: StoredDrill): object {
  return {
    drill: evidence.kind,
    result: evidence.result,
    drill_id: evidence.drillId,
    started_at: evidence.startedAt,
    finished_at: evidence.finishedAt,
    database: evidence.database,
    cluster_id: evidence.clusterId,
    table: evidence.relation === null ? null : displayRelation(evidence.relation),
    snapshot_id: evidence.snapshotId,
    row_count: evidence.rowCount,
    size_bytes: evidence.sizeBytes,
    rto_seconds: evidence.rtoSeconds,
    rpo_seconds: evidence.rpoSeconds,
    steps: evidence.steps.map(({ durationMs, ...step }) => ({ ...step, duration_ms: durationMs })),
    checked: evidence.checked,
    skipped: evidence.skipped,
    differences: evidence.differences,
    ...evidence.facts,
    evidence_key: key,
    evidence_sha256: sha256,
    ...errorOf(evidence),
  }
}

export const DRILL_JSON =
  'drill, result (ok, failed, skipped), drill_id, rto_seconds, rpo_seconds, steps[], checked[], skipped[], differences[], evidence_key, evidence_sha256, error'

const TONES: Readonly<Record<DrillEvidence['result'], Tone>> = { ok: 'good', failed: 'bad', skipped: 'warning' }

export function resultCell(result: DrillEvidence['result']): Cell {
  return { text: result, tone: TONES[result] }
}

/** Exit code 0 only for a drill that proved what it is for. */
export function showDrill(stored: StoredDrill, more: object = {}): CommandResult {
  const { evidence, key } = stored
  const rows = evidence.steps.map(({ name, status, durationMs, detail }) => [
    name,
    { text: status, tone: status === 'ok' ? ('good' as const) : ('bad' as const) },
    formatDuration(durationMs),
    detail,
  ])
  const seconds = (value: number | null) => (value === null ? 'not known' : formatDuration(value * MS))
  const blocks: Block[] = [
    { kind: 'title', text: `Drill ${evidence.kind} of ${subjectOf(evidence)}` },
    {
      kind: 'table',
      columns: [{ title: 'STEP' }, { title: 'RESULT' }, { title: 'TOOK', isRight: true }, { title: 'WHAT' }],
      rows,
      whenEmpty: 'It came to no step.',
    },
    {
      kind: 'pairs',
      pairs: [
        ['result', resultCell(evidence.result)],
        ['RTO', seconds(evidence.rtoSeconds)],
        ['RPO', seconds(evidence.rpoSeconds)],
        ['evidence', key ?? 'the storage would not take it'],
      ],
    },
    ...listed('Proven', evidence.checked),
    ...listed(
      'Not checked',
      evidence.skipped.map(({ subject, reason }) => `${subject}: ${reason}`),
    ),
    ...listed(
      'Different',
      evidence.differences.map(({ subject, reason }) => `${subject}: ${reason}`),
    ),
    ...(evidence.failure === null
      ? []
      : ([{ kind: 'text', text: `${evidence.failure.code}: ${evidence.failure.reason}`, tone: 'bad' }] as const)),
  ]
  return { ok: evidence.result === 'ok', data: { ...drillData(stored), ...more }, blocks }
}

function listed(title: string, items: readonly string[]): readonly Block[] {
  return items.length === 0
    ? []
    : [
        { kind: 'title', text: title },
        { kind: 'list', items },
      ]
}
