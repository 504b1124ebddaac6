/** Base backups as JSON and as a table. */
import { epochMsOf } from '#lib/kernel/index.ts'
import type { BaseBackup } from '#lib/recovery/index.ts'
import { type Block, formatBytes, formatDuration } from '../terminal/index.ts'

export function baseBackupData(backup: BaseBackup): object {
  return {
    backup_id: backup.backupId,
    cluster_id: backup.clusterId,
    system_identifier: backup.systemIdentifier,
    server_version: backup.serverVersion,
    tool_version: backup.toolVersion,
    started_at: backup.startedAt,
    consistent_at: backup.consistentAt,
    finished_at: backup.finishedAt,
    timeline: backup.timeline,
    start_lsn: backup.startLsn,
    stop_lsn: backup.stopLsn,
    key: backup.content.key,
    size_bytes: backup.content.sizeBytes,
    sha256: backup.content.sha256,
    total_bytes: backup.totalBytes,
    files: fileCount(backup),
    tablespaces: backup.tablespaces.map(({ oid, location, content, totalBytes, files }) => ({
      oid,
      location,
      key: content.key,
      size_bytes: content.sizeBytes,
      total_bytes: totalBytes,
      files: files.length,
      sha256: content.sha256,
    })),
  }
}

function fileCount({ files, tablespaces }: BaseBackup): number {
  return [{ files }, ...tablespaces].reduce((sum, part) => sum + part.files.length, 0)
}

function storedBytes({ content, tablespaces }: BaseBackup): number {
  return [{ content }, ...tablespaces].reduce((sum, part) => sum + part.content.sizeBytes, 0)
}

export function baseBackupTable(backups: readonly BaseBackup[], nowMs: number): Block {
  return {
    kind: 'table',
    columns: [
      { title: 'BACKUP' },
      { title: 'RECOVERS FROM' },
      { title: 'AGE', isRight: true },
      { title: 'TIMELINE', isRight: true },
      { title: 'LSN' },
      { title: 'FILES', isRight: true },
      { title: 'SIZE', isRight: true },
    ],
    rows: backups.map((backup) => [
      backup.backupId,
      backup.consistentAt,
      formatDuration(nowMs - epochMsOf(backup.startedAt)),
      String(backup.timeline),
      backup.stopLsn,
      String(fileCount(backup)),
      `${formatBytes(storedBytes(backup))} of ${formatBytes(backup.totalBytes)}`,
    ]),
    whenEmpty: 'No base backup of this server here yet.',
  }
}
