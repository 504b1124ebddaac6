/** `backstop snapshots prune`: remove what the settings do not keep. */
import { prunePoints } from '#lib/product/index.ts'
import { defineCommand, list, toggle } from '../frame/index.ts'
import { openRetention, RETENTION_FLAGS } from './open-retention.ts'
import { policyData, reportBlocks, reportData } from './retention-view.ts'

export const snapshotsPrune = defineCommand({
  path: 'snapshots prune',
  summary: 'Remove recovery points that the settings do not keep',
  details:
    'By BACKSTOP_RETENTION_KEEP_LAST and its like, per table. Never removed are the last valid point of a table, pins, legal holds, ' +
    'what a held or approved statement or a running restore counts on, and parts of sets that stay. A running gateway does the same by itself.',
  flags: {
    ...RETENTION_FLAGS,
    dryRun: toggle('--dry-run', 'show what would go, and touch nothing'),
    trustClock: toggle('--trust-clock', 'remove also where the clock seems to have jumped'),
    giveUp: list('--give-up <ids>', 'quarantined points that nobody investigates any more: remove them now'),
  },
  json: 'policy, prune (dry_run, removed[], kept[] with reasons, leftovers[], failed[], skipped[])',
  examples: [
    { does: 'Look first', line: 'backstop snapshots prune --dry-run --data ./backstop-data' },
    {
      does: 'Keep a month of days only',
      line: 'BACKSTOP_RETENTION_KEEP_DAILY=30 backstop snapshots prune --data ./backstop-data',
    },
  ],
  async run({ flags }, context) {
    const tools = await openRetention(flags, context)
    try {
      const report = await prunePoints(tools, {
        isDryRun: flags.dryRun,
        isClockTrusted: flags.trustClock,
        ...(flags.giveUp === undefined ? {} : { givenUp: flags.giveUp }),
      })
      const data = { policy: policyData(tools.settings.retention), prune: reportData(report) }
      return { ok: report.failed.length === 0, data, blocks: reportBlocks(report) }
    } finally {
      await tools.close()
    }
  },
})
