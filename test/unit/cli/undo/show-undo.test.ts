import { expect, it } from 'vitest'
import type { ShownUndo } from '#lib/cli/undo/model.ts'
import { showUndo } from '#lib/cli/undo/show-undo.ts'

const REPORT: ShownUndo = {
  status: 'undone',
  audit_id: 'aud_1',
  undo_audit_id: 'aud_2',
  conflict_policy: 'skip',
  row_count: 3,
  reversed_count: 2,
  conflict_count: 1,
  rows: [
    {
      table: 'public.t',
      action: 'restore',
      key: { id: '3' },
      columns: { v: { from: 'x', to: null } },
      conflict: { kind: 'changed', columns: ['v'] },
    },
    {
      table: 'public.t',
      action: 'reinsert',
      key: { id: '1' },
      columns: { id: { from: null, to: '1' } },
      conflict: null,
    },
    { table: 'public.t', action: 'remove', key: { id: '2' }, columns: { id: { from: '2', to: null } }, conflict: null },
  ],
  rows_left_out: 0,
  quiet_triggers: ['public.t.log'],
}
const textOf = (report: ShownUndo) => JSON.stringify(showUndo(report))

it('says what was done, row by row, what was not, and how to take it back', () => {
  const text = textOf(REPORT)
  expect(text).toContain('aud_1 is undone: 2 rows. 1 changed since and were left as they are.')
  expect(text).toContain('v: x → NULL')
  expect(text).toContain('changed since: v')
  expect(text).toContain('Triggers that did not fire: public.t.log.')
  expect(text).toContain('backstop undo aud_2')
})

it('says that nothing was changed, and what to do', () => {
  const text = textOf({ ...REPORT, status: 'conflict', reversed_count: 0 })
  expect(text).toContain('Nothing was changed: 1 rows changed since.')
  expect(text).toContain('backstop undo aud_1 --conflict-policy skip')
  expect(text).not.toContain('backstop undo aud_2')
})

it('says how many rows it does not show', () => {
  const rows = Array.from({ length: 60 }, () => REPORT.rows[1] as ShownUndo['rows'][number])
  expect(textOf({ ...REPORT, rows, row_count: 70 })).toContain('… and 20 rows more; --json has them.')
})
