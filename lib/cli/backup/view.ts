/** Logical backups as JSON and as a table. */
import { epochMsOf } from '#lib/kernel/index.ts'
import type { LogicalBackup } from '#lib/recovery/index.ts'
import { type Block, formatBytes, formatDuration } from '../terminal/index.ts'

export function backupData(backup: LogicalBackup): object {
  return {
    backup_id: backup.backupId,
    database: backup.databaseName,
    server_version: backup.serverVersion,
    tool_version: backup.toolVersion,
    started_at: backup.startedAt,
    finished_at: backup.finishedAt,
    key: backup.content.key,
    size_bytes: backup.content.sizeBytes,
    sha256: backup.content.sha256,
    entries: backup.entryCount,
    tables: backup.tableCount,
    excluded_tables: backup.excludeTables,
  }
}

export function backupTable(backups: readonly LogicalBackup[], nowMs: number): Block {
  return {
    kind: 'table',
    columns: [
      { title: 'BACKUP' },
      { title: 'DATABASE' },
      { title: 'TAKEN' },
      { title: 'AGE', isRight: true },
      { title: 'TABLES', isRight: true },
      { title: 'SIZE', isRight: true },
    ],
    rows: backups.map((backup) => [
      backup.backupId,
      backup.databaseName,
      backup.startedAt,
      formatDuration(nowMs - epochMsOf(backup.startedAt)),
      String(backup.tableCount),
      formatBytes(backup.content.sizeBytes),
    ]),
    whenEmpty: 'No logical backup here yet.',
  }
}
