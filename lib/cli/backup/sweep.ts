/** `backstop backup sweep`: what killed backups have left in the storage. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { type SweepReport, sweepBackups } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import { defineCommand, existingStorage, integer, STORAGE_FLAG, toggle } from '../frame/index.ts'
import { type Block, formatBytes } from '../terminal/index.ts'

const HOUR_MS = 3_600_000
const DEFAULT_HOURS = 24
const MOST_HOURS = 8_784

export const backupSweep = defineCommand({
  path: 'backup sweep',
  summary: 'Remove what killed dumps and base backups have left',
  details:
    'A backup counts from the moment its manifest is written, which comes last. Content without one, all of it older than the ' +
    'bound, is what a killed run left. Nothing that has a manifest is touched, not even a damaged one.',
  flags: {
    storage: STORAGE_FLAG,
    olderThanHours: integer('--older-than-hours <hours>', 'leave what is younger (24)', 1, MOST_HOURS),
    dryRun: toggle('--dry-run', 'show what would go, and remove nothing'),
  },
  json: 'swept[] (key, size_bytes, outcome, reason), young[], backups',
  examples: [
    { does: 'What would go', line: 'backstop backup sweep --storage file:///backups --dry-run' },
    { does: 'Remove it', line: 'backstop backup sweep --storage file:///backups' },
  ],
  async run({ flags }, { environment }) {
    const need = flags.dryRun ? 'read' : 'write'
    const { objects } = await openBackupTools(existingStorage(flags.storage, environment), need, { environment })
    const olderThanMs = (flags.olderThanHours ?? DEFAULT_HOURS) * HOUR_MS
    const report = await sweepBackups(objects, { nowMs: systemClock.nowMs(), olderThanMs, isDryRun: flags.dryRun })
    const swept = report.swept.map(({ sizeBytes, ...rest }) => ({ ...rest, size_bytes: sizeBytes }))
    const isOk = report.swept.every(({ outcome }) => outcome !== 'refused')
    return { ok: isOk, data: { swept, young: report.young, backups: report.backupCount }, blocks: show(report) }
  },
})

function show({ swept, young, backupCount }: SweepReport): readonly Block[] {
  return [
    {
      kind: 'table',
      columns: [{ title: 'OBJECT' }, { title: 'SIZE', isRight: true }, { title: 'OUTCOME' }],
      rows: swept.map(({ key, sizeBytes, outcome, reason }) => [
        key,
        formatBytes(sizeBytes),
        reason === undefined ? outcome : `${outcome}: ${reason}`,
      ]),
      whenEmpty: 'Nothing was left by a killed backup.',
    },
    {
      kind: 'pairs',
      pairs: [
        ['backups', `${backupCount}, not touched`],
        ['too young', `${young.length} without a manifest`],
      ],
    },
  ]
}
