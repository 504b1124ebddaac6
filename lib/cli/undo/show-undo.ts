/** The report of an undo for a person: what was or would be done, conflicts first. Pure. */
import type { Block, Cell } from '../terminal/index.ts'
import type { ShownRow, ShownUndo } from './model.ts'

const MOST_SHOWN = 50
const LONGEST_VALUE = 40

const ACTIONS: Readonly<Record<ShownRow['action'], string>> = {
  reinsert: 'comes back',
  restore: 'old values',
  remove: 'goes',
}

function shorten(value: string | null): string {
  if (value === null) return 'NULL'
  return value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE).toWellFormed()}…` : value
}

function keyText({ key }: ShownRow): string {
  return Object.entries(key)
    .map(([name, value]) => `${name}=${shorten(value)}`)
    .join(', ')
}

function changeText({ action, columns }: ShownRow): string {
  return Object.entries(columns)
    .map(([name, { from, to }]) => {
      if (action === 'restore') return `${name}: ${shorten(from)} → ${shorten(to)}`
      return `${name}=${shorten(action === 'remove' ? from : to)}`
    })
    .join(', ')
}

function conflictCell({ conflict }: ShownRow): string | Cell {
  if (conflict === null) return ''
  const texts = {
    changed: `changed since: ${conflict.columns.join(', ')}`,
    missing: 'is not there any more',
    exists: 'another row has its key',
  }
  return { text: texts[conflict.kind], tone: 'bad' }
}

function headOf(report: ShownUndo): Block {
  const { status, audit_id: auditId, reversed_count: reversed, conflict_count: conflicts } = report
  const left = conflicts > 0 ? ` ${conflicts} changed since and were left as they are.` : ''
  if (status === 'undone') return { kind: 'text', text: `${auditId} is undone: ${reversed} rows.${left}`, tone: 'good' }
  if (status === 'planned') {
    const skipped = conflicts > 0 ? ` ${conflicts} changed since and would be left as they are.` : ''
    return { kind: 'text', text: `Dry run: ${reversed} rows would be set back.${skipped}`, tone: 'good' }
  }
  return { kind: 'text', text: `Nothing was changed: ${conflicts} rows changed since.`, tone: 'bad' }
}

function nextOf(report: ShownUndo): readonly Block[] {
  if (report.status === 'undone') {
    return [{ kind: 'text', text: `To bring it back: backstop undo ${report.undo_audit_id}`, tone: 'muted' }]
  }
  if (report.status !== 'conflict') return []
  const text = `To set back the others: backstop undo ${report.audit_id} --conflict-policy skip`
  return [{ kind: 'text', text, tone: 'muted' }]
}

export function showUndo(report: ShownUndo): readonly Block[] {
  const hidden = report.row_count - Math.min(report.rows.length, MOST_SHOWN)
  return [
    headOf(report),
    {
      kind: 'table',
      columns: [{ title: 'table' }, { title: 'row' }, { title: 'it' }, { title: 'values' }, { title: 'conflict' }],
      rows: report.rows
        .slice(0, MOST_SHOWN)
        .map((row) => [row.table, keyText(row), ACTIONS[row.action], changeText(row), conflictCell(row)]),
      whenEmpty: 'No rows.',
    },
    ...(hidden > 0
      ? [{ kind: 'text', text: `… and ${hidden} rows more; --json has them.`, tone: 'muted' } as const]
      : []),
    ...(report.quiet_triggers.length > 0
      ? [
          {
            kind: 'text',
            text: `Triggers that did not fire: ${report.quiet_triggers.join(', ')}.`,
            tone: 'muted',
          } as const,
        ]
      : []),
    ...nextOf(report),
  ]
}
