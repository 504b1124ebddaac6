/** `backstop snapshots pin|unpin|hold|release`: keep a recovery point whatever the settings say, and let it go again. */
import { keepPoint, liftKeep } from '#lib/product/index.ts'
import type { KeepKind } from '#lib/recovery/index.ts'
import { defineCommand, requiredText, text } from '../frame/index.ts'
import { openRetention, operatorName, RETENTION_FLAGS } from './open-retention.ts'
import { readReason, readSnapshotId } from './order.ts'
import { keepData, keepTable } from './retention-view.ts'

interface KeepCommand {
  readonly verb: 'pin' | 'unpin' | 'hold' | 'release'
  readonly kind: KeepKind
  readonly isLifting: boolean
  readonly summary: string
  readonly details: string
}

function commandOf({ verb, kind, isLifting, summary, details }: KeepCommand) {
  return defineCommand({
    path: `snapshots ${verb}`,
    summary,
    details: `${details} Who and why is written to the audit ledger before it is done.`,
    args: [{ name: 'snapshot-id', summary: 'snap_…, see "backstop snapshots list"', isRequired: true }],
    flags: {
      reason: requiredText('--reason <text>', 'why; shown by "backstop snapshots kept", and in the ledger'),
      by: text('--by <name>', 'who; the account that runs the command when absent'),
      ...RETENTION_FLAGS,
    },
    json: isLifting ? 'lifted (snapshot_id, kind, reason, by, since)' : 'kept (snapshot_id, kind, reason, by, since)',
    examples: [
      {
        does: summary,
        line: `backstop snapshots ${verb} snap_0123456789abcdef0123456789abcdef --reason "case 2027-14" --data ./backstop-data`,
      },
    ],
    async run({ args, flags }, context) {
      const snapshotId = readSnapshotId(args[0])
      const order = { snapshotId, kind, reason: readReason(flags.reason), by: operatorName(flags.by) }
      const tools = await openRetention(flags, context)
      try {
        const keep = isLifting ? await liftKeep(tools, order) : await keepPoint(tools, order)
        const data = isLifting ? { lifted: keepData(keep) } : { kept: keepData(keep) }
        return { ok: true, data, blocks: [keepTable([keep], '')] }
      } finally {
        await tools.close()
      }
    },
  })
}

export const snapshotsPin = commandOf({
  verb: 'pin',
  kind: 'pin',
  isLifting: false,
  summary: 'Keep a recovery point until it is unpinned',
  details: 'Retention never removes a pinned point, nor the set that it is in.',
})

export const snapshotsUnpin = commandOf({
  verb: 'unpin',
  kind: 'pin',
  isLifting: true,
  summary: 'Let a pinned recovery point go its way again',
  details: 'From now on retention decides. A legal hold stays.',
})

export const snapshotsHold = commandOf({
  verb: 'hold',
  kind: 'hold',
  isLifting: false,
  summary: 'Put a recovery point under a legal hold',
  details: 'Nothing removes it until "backstop snapshots release"; unpinning does not lift it.',
})

export const snapshotsRelease = commandOf({
  verb: 'release',
  kind: 'hold',
  isLifting: true,
  summary: 'Lift a legal hold',
  details: 'From now on retention decides, unless the point is pinned.',
})
