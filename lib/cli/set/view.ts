/** Sets for programs and for people. */
import { displayRelation, epochMsOf } from '#lib/kernel/index.ts'
import type { SetPlan, StoredSet } from '#lib/recovery/index.ts'
import type { Block } from '../terminal/index.ts'
import { formatBytes, formatDuration, stateCell } from '../terminal/index.ts'

export function setData(set: StoredSet, nowMs: number) {
  return {
    set_id: set.setId,
    status: set.status,
    problem: set.problem ?? null,
    origin: set.origin,
    timestamp: set.capturedAt,
    age_seconds: Math.max(0, Math.floor((nowMs - epochMsOf(set.capturedAt)) / 1_000)),
    lsn: set.lsn,
    selection: set.selection.kind,
    group: set.selection.group,
    members: set.members.map(({ relation, snapshotId, rowCount, sizeBytes }) => ({
      schema: relation.schema,
      table: relation.name,
      snapshot_id: snapshotId,
      row_count: rowCount,
      size_bytes: sizeBytes,
    })),
    manifest_key: set.manifestKey,
    manifest_sha256: set.manifestSha256,
  }
}

const SHOWN_MEMBERS = 4

function membersOf({ members }: StoredSet): string {
  const names = members.slice(0, SHOWN_MEMBERS).map(({ relation }) => displayRelation(relation))
  const left = members.length - names.length
  return left > 0 ? `${names.join(', ')} and ${left} more` : names.join(', ')
}

export function setTable(sets: readonly StoredSet[], nowMs: number, whenEmpty: string): Block {
  return {
    kind: 'table',
    columns: [
      { title: 'set' },
      { title: 'status' },
      { title: 'origin' },
      { title: 'captured at' },
      { title: 'age', isRight: true },
      { title: 'LSN' },
      { title: 'tables', isRight: true },
      { title: 'rows', isRight: true },
      { title: 'size', isRight: true },
      { title: 'of' },
    ],
    rows: sets.map((set) => [
      set.setId,
      stateCell(set.status),
      set.origin,
      set.capturedAt,
      formatDuration(nowMs - epochMsOf(set.capturedAt)),
      set.lsn,
      String(set.members.length),
      String(set.members.reduce((sum, { rowCount }) => sum + rowCount, 0)),
      formatBytes(set.members.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
      membersOf(set),
    ]),
    whenEmpty,
  }
}

export function planData(plan: SetPlan) {
  const keyData = (key: SetPlan['keys']['inside'][number]) => ({
    name: key.name,
    table: displayRelation(key.table),
    columns: key.columns,
    references: displayRelation(key.references),
    referenced_columns: key.referencedColumns,
  })
  return {
    members: plan.members.map(displayRelation),
    circles: plan.circles.map((circle) => circle.map(displayRelation)),
    keys: {
      inside: plan.keys.inside.map(keyData),
      outgoing: plan.keys.outgoing.map(keyData),
      incoming: plan.keys.incoming.map(keyData),
    },
    notes: plan.notes,
  }
}

export function planBlocks(plan: SetPlan): readonly Block[] {
  const keysOf = (title: string, keys: SetPlan['keys']['inside']): Block[] =>
    keys.length === 0
      ? []
      : [
          { kind: 'title', text: title },
          {
            kind: 'list',
            items: keys.map(
              ({ name, table, references }) => `${name}: ${displayRelation(table)} → ${displayRelation(references)}`,
            ),
          },
        ]
  const circles = plan.circles.map((circle) => `in a circle: ${circle.map(displayRelation).join(', ')}`)
  const notes = [...circles, ...plan.notes]
  return [
    { kind: 'title', text: `Tables, in the order of a restore: ${plan.members.length}` },
    { kind: 'list', items: plan.members.map(displayRelation) },
    ...keysOf('Foreign keys between them', plan.keys.inside),
    ...keysOf('Foreign keys to tables outside', plan.keys.outgoing),
    ...keysOf('Foreign keys from tables outside', plan.keys.incoming),
    ...(notes.length === 0 ? [] : [{ kind: 'title', text: 'Note' } as const, { kind: 'list', items: notes } as const]),
  ]
}
