/** `backstop backup logical-list`: which logical backups there are, from the storage alone. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { listLogicalBackups } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import { defineCommand, existingStorage, STORAGE_FLAG } from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { backupData, backupTable } from './view.ts'

export const backupLogicalList = defineCommand({
  path: 'backup logical-list',
  summary: 'List logical backups, newest first',
  details: 'A backup whose manifest is damaged is told of and never offered.',
  flags: { storage: STORAGE_FLAG },
  json: 'backups[] (as in logical-create), problems[] (key, reason)',
  examples: [{ does: 'What can be restored', line: 'backstop backup logical-list --storage file:///backups' }],
  async run({ flags }, { environment }) {
    const ports = await openBackupTools(existingStorage(flags.storage, environment), 'read', { environment })
    const { backups, problems } = await listLogicalBackups(ports.objects)
    const blocks: Block[] = [backupTable(backups, systemClock.nowMs())]
    if (problems.length > 0) {
      blocks.push({ kind: 'title', text: 'Not offered' })
      blocks.push({ kind: 'list', items: problems.map(({ key, reason }) => `${key}: ${reason}`) })
    }
    return { ok: problems.length === 0, data: { backups: backups.map(backupData), problems }, blocks }
  },
})
