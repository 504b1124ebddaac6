/** `backstop snapshots verify`: read one recovery point again, and offer it again when it was set aside and is whole. */

import { systemClock } from '#lib/adapters/system/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import { reinstatePoint } from '#lib/product/index.ts'
import type { CheckedPoint } from '#lib/recovery/index.ts'
import { tellCheck } from '#lib/runtime/index.ts'
import { type CommandResult, defineCommand, text, toggle } from '../frame/index.ts'
import { openRetention, operatorName, RETENTION_FLAGS } from './open-retention.ts'
import { readReason, readSnapshotId } from './order.ts'
import { pointData, pointTable } from './point-view.ts'

export const snapshotsVerify = defineCommand({
  path: 'snapshots verify',
  summary: 'Read a recovery point again, and take it back when it was set aside and is whole',
  details:
    'Reads every byte of it and compares it with the digests that were noted at its capture. A valid point that is damaged is set aside, as ' +
    'by the daily check. With --reinstate a quarantined one is offered again if all of it proves right, for instance after a bad disk or ' +
    'proxy was replaced; who and why is written to the audit ledger before it is done, and its alert is over. One that is still damaged ' +
    'stays set aside, and the exit code is 1.',
  args: [{ name: 'snapshot-id', summary: 'snap_…, see "backstop snapshots list"', isRequired: true }],
  flags: {
    reinstate: toggle('--reinstate', 'offer a quarantined point again, if it is whole'),
    reason: text('--reason <text>', 'with --reinstate: why; kept in the ledger'),
    by: text('--by <name>', 'with --reinstate: who; the account that runs the command when absent'),
    ...RETENTION_FLAGS,
  },
  json: 'snapshot, verdict (whole, corrupt or unknown), reason, reinstated, set_aside, bytes_read, strays[]',
  examples: [
    {
      does: 'Look, and change nothing of a quarantined point',
      line: 'backstop snapshots verify snap_0123456789abcdef0123456789abcdef --data ./backstop-data',
    },
    {
      does: 'After the disk was replaced',
      line: 'backstop snapshots verify snap_0123456789abcdef0123456789abcdef --reinstate --reason "disk replaced" --data ./backstop-data',
    },
  ],
  async run({ args, flags }, context) {
    const snapshotId = readSnapshotId(args[0])
    if (flags.reinstate && flags.reason === undefined) throw new BackstopError('USAGE_INVALID', 'give --reason')
    const tools = await openRetention(flags, context)
    try {
      const total = (await tools.recovery.find(snapshotId))?.sizeBytes ?? 0
      const onBytes = (bytes: number) =>
        context.progress.update({ label: 'read', done: Math.min(bytes, total), total, unit: 'bytes' })
      const request = { snapshotId, signal: context.signal, onBytes }
      const checked = flags.reinstate
        ? await reinstatePoint(tools, {
            ...request,
            reason: readReason(flags.reason ?? ''),
            by: operatorName(flags.by),
          })
        : await tools.recovery.checkPoint(request)
      context.progress.clear()
      await tellCheck(checked, tools.settings.metadataPath, context.environment)
      return show(checked, flags.reinstate)
    } finally {
      await tools.close()
    }
  },
})

function show(checked: CheckedPoint, isReinstating: boolean): CommandResult {
  const { point, verdict, change, bytes } = checked
  const nowMs = systemClock.nowMs()
  const ok = verdict.kind === 'whole' && (point.status === 'valid' || !isReinstating)
  return {
    ok,
    data: {
      snapshot: pointData(point, nowMs),
      verdict: verdict.kind,
      reason: verdict.kind === 'whole' ? null : verdict.reason,
      reinstated: change === 'reinstated',
      set_aside: change === 'set-aside',
      bytes_read: bytes,
      strays: verdict.kind === 'whole' ? verdict.strays : [],
    },
    blocks: [{ kind: 'text', text: sentenceOf(checked), tone: ok ? 'good' : 'bad' }, pointTable([point], nowMs, '')],
  }
}

function sentenceOf({ point, verdict, change }: CheckedPoint): string {
  if (verdict.kind === 'unknown') return `The storage would not say: ${verdict.reason}. Nothing was changed.`
  if (verdict.kind === 'corrupt') {
    const what = change === 'set-aside' ? 'It is set aside from now on' : 'It stays set aside'
    return `It is damaged: ${verdict.reason}. ${what}.`
  }
  if (change === 'reinstated') return 'Every byte is right: it is offered again.'
  if (point.status === 'valid') return 'Every byte is right.'
  return 'Every byte is right. It stays set aside until --reinstate is given.'
}
