/** `backstop pitr list`: which base backups of a server there are, from the storage alone. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { listBaseBackups } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import { defineCommand, existingStorage, STORAGE_FLAG } from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { CLUSTER_FLAG } from '../wal/index.ts'
import { baseBackupData, baseBackupTable } from './view.ts'

export const pitrList = defineCommand({
  path: 'pitr list',
  summary: 'List base backups of a server, newest first',
  details:
    'A backup whose manifest is damaged is told of and never offered. "backstop wal list" shows how far the WAL reaches.',
  flags: { storage: STORAGE_FLAG, clusterId: CLUSTER_FLAG },
  json: 'backups[] (as in basebackup), problems[] (key, reason)',
  examples: [
    { does: 'What a recovery can begin with', line: 'backstop pitr list --storage file:///backups --cluster-id prod' },
  ],
  async run({ flags }, { environment }) {
    const ports = await openBackupTools(existingStorage(flags.storage, environment), 'read', { environment })
    const { backups, problems } = await listBaseBackups(ports.objects, flags.clusterId)
    const blocks: Block[] = [baseBackupTable(backups, systemClock.nowMs())]
    if (problems.length > 0) {
      blocks.push({ kind: 'title', text: 'Not offered' })
      blocks.push({ kind: 'list', items: problems.map(({ key, reason }) => `${key}: ${reason}`) })
    }
    return { ok: problems.length === 0, data: { backups: backups.map(baseBackupData), problems }, blocks }
  },
})
