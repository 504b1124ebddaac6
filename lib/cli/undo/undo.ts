/** `backstop undo`: reverse one write, exactly the rows that it changed. */
import { choice, defineCommand, toggle } from '../frame/index.ts'
import { connectGateway, GATEWAY_FLAGS, request } from '../gateway/index.ts'
import type { ShownUndo } from './model.ts'
import { showUndo } from './show-undo.ts'

export const undo = defineCommand({
  path: 'undo',
  summary: 'Reverse one write: exactly the rows that it changed',
  details:
    'The audit id is in the answer to the write, and in "backstop audit export". Rows that changed since are conflicts: with any ' +
    'of them nothing is changed, unless they are to be skipped. The reversal is a write of its own, recorded and undoable. Needs ' +
    'the scope undo:execute.',
  args: [{ name: 'audit-id', summary: 'of the write: aud_…', isRequired: true }],
  flags: {
    ...GATEWAY_FLAGS,
    conflictPolicy: choice(
      '--conflict-policy <policy>',
      'with rows that changed since: change nothing, or leave those as they are',
      ['fail', 'skip'] as const,
      'fail',
    ),
    dryRun: toggle('--dry-run', 'show what would be set back, and change nothing'),
  },
  json: 'undo (status planned, undone or conflict; row_count, reversed_count, conflict_count, rows[], undo_audit_id)',
  examples: [
    { does: 'Look first', line: 'backstop undo aud_0198… --dry-run --token-file admin.token' },
    { does: 'Set all rows back, or none', line: 'backstop undo aud_0198… --token-file admin.token' },
  ],
  async run({ args, flags }, context) {
    const gateway = await connectGateway(flags, context)
    const path = `/undo/${encodeURIComponent(args[0] ?? '')}`
    const report = flags.dryRun
      ? await request<ShownUndo>(gateway, 'GET', `${path}?conflict_policy=${flags.conflictPolicy}`)
      : await request<ShownUndo>(gateway, 'POST', path, { conflict_policy: flags.conflictPolicy })
    return { ok: report.status !== 'conflict', data: { undo: report }, blocks: showUndo(report) }
  },
})
