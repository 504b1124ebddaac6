/** `backstop pitr basebackup`: a whole server with pg_basebackup, straight into the storage. */
import { resolve } from 'node:path'
import { takeBaseBackup } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import { programFlag, showBytes } from '../backup/index.ts'
import { DATABASE_FLAG, defineCommand, getSetting, STORAGE_FLAG, text } from '../frame/index.ts'
import { formatBytes } from '../terminal/index.ts'
import { CLUSTER_FLAG } from '../wal/index.ts'
import { baseBackupData, baseBackupTable } from './view.ts'

export const pitrBaseBackup = defineCommand({
  path: 'pitr basebackup',
  summary: 'Take a base backup of a whole server',
  details:
    'pg_basebackup is streamed through zstd into the storage; no copy is made on this machine. Each file is compared with ' +
    "the SHA-256 of the server's own backup manifest, the object is read back, and our manifest is written last. The role " +
    'needs REPLICATION. A server with tablespaces of its own cannot be streamed: it is first copied, uncompressed, into a ' +
    'private scratch folder, removed in the end; what that takes is said before, and compared with what is free.',
  flags: {
    db: DATABASE_FLAG,
    storage: STORAGE_FLAG,
    clusterId: CLUSTER_FLAG,
    backupId: text('--backup-id <id>', 'name it (default base_ and 32 digits)'),
    scratchDir: text('--scratch-dir <folder>', 'where that copy of a server with tablespaces goes (default TMPDIR)'),
    pgBasebackupBin: programFlag('pg_basebackup'),
  },
  json: 'backup (backup_id, consistent_at, timeline, start_lsn, stop_lsn, files, size_bytes, total_bytes, sha256, tablespaces[] (oid, location, key, size_bytes, total_bytes, files, sha256), …)',
  examples: [
    {
      does: 'Every night',
      line: 'backstop pitr basebackup --db postgresql://replicator@db.internal/postgres --storage file:///backups --cluster-id prod',
    },
  ],
  async run({ flags }, context) {
    const serverUrl = getSetting(flags.db, '--db', 'BACKSTOP_DB_URL', context.environment)
    const storageUrl = getSetting(flags.storage, '--storage', 'BACKSTOP_STORAGE_URL', context.environment)
    const programs = { pg_basebackup: flags.pgBasebackupBin }
    const ports = await openBackupTools(storageUrl, 'write', { environment: context.environment, programs })
    const backup = await takeBaseBackup(ports, {
      serverUrl,
      clusterId: flags.clusterId,
      backupId: flags.backupId,
      scratchFolder: flags.scratchDir === undefined ? undefined : resolve(flags.scratchDir),
      onScratch: ({ folder, neededBytes, freeBytes }) =>
        context.note(
          `The server has tablespaces: ${formatBytes(neededBytes)} and its WAL are copied to ${folder} first; ${formatBytes(freeBytes)} are free there.`,
        ),
      signal: context.signal,
      onBytes: showBytes(context, 'received'),
    })
    const data = { backup: baseBackupData(backup) }
    return { ok: true, data, blocks: [baseBackupTable([backup], ports.clock.nowMs())] }
  },
})
