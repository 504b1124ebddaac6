/** `backstop drill pitr-prepare`: a data folder is prepared as for a recovery, and removed. */
import { resolve } from 'node:path'
import { readTarget, runPrepareDrill } from '#lib/recovery/index.ts'
import { restoreCommandLine } from '#lib/runtime/tools/index.ts'
import { defineCommand, text, toggle } from '../frame/index.ts'
import { CLUSTER_FLAG } from '../wal/index.ts'
import { DRILL_FLAGS, withDrillTools } from './open.ts'
import { DRILL_JSON, showDrill } from './view.ts'

export const drillPitrPrepare = defineCommand({
  path: 'drill pitr-prepare',
  summary: 'Prepare a data folder from a base backup in scratch, and look at it',
  details:
    'With --simulate the base backup is of a server that does not exist and lies in a folder of the drill; nothing real is read. ' +
    'Without it the newest base backup is extracted, each file compared with its SHA-256. No server is started: that is what ' +
    '"backstop drill pitr-restore" does.',
  flags: {
    ...DRILL_FLAGS,
    clusterId: CLUSTER_FLAG,
    simulate: toggle('--simulate', 'of a server that does not exist'),
    targetDir: text('--target-dir <folder>', 'prepare this folder and keep it (default: a scratch folder, removed)'),
    backupId: text('--backup-id <id>', 'this base backup (default: the newest that the target can be reached from)'),
    targetTime: text('--target-time <time>', 'as for a recovery up to this moment: "2026-11-21 03:00:00+00"'),
  },
  json: `target_dir, backup_id, recovery_signal, restore_command, recovery_target_time, ${DRILL_JSON}`,
  examples: [
    {
      does: 'Where no base backup was taken yet',
      line: 'backstop drill pitr-prepare --storage s3://prod-snapshots --cluster-id prod --simulate --json',
    },
    { does: 'The newest base backup', line: 'backstop drill pitr-prepare --storage file:///backups --cluster-id prod' },
  ],
  async run({ flags }, context) {
    const { clusterId, simulate, backupId, targetDir, targetTime } = flags
    const target = readTarget({ time: targetTime })
    const stored = await withDrillTools(flags, context, (tools, storageUrl) =>
      runPrepareDrill(tools, {
        clusterId,
        isSimulated: simulate,
        backupId,
        target,
        folder: targetDir === undefined ? undefined : resolve(targetDir),
        restoreCommand: restoreCommandLine(storageUrl, clusterId),
        signal: context.signal,
      }),
    )
    return showDrill(stored)
  },
})
