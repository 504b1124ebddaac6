/** `backstop wal archive`: what PostgreSQL's archive_command calls. */
import { archiveWal } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import { defineCommand, existingStorage, requiredText, STORAGE_FLAG } from '../frame/index.ts'
import { formatBytes } from '../terminal/index.ts'
import { CLUSTER_FLAG, WAL_NAME_FLAG } from './flags.ts'

export const walArchive = defineCommand({
  path: 'wal archive',
  summary: 'Archive one file of WAL: what archive_command calls',
  details:
    'Exits with 0 only when the file is durable in the storage and was read back and compared. The same file again is ' +
    'proven and counts; another one of that name, a truncated one, or one of another server is refused and changes nothing. ' +
    'Any doubt is exit code 1 (2 for wrong usage): PostgreSQL keeps the file and tries again.',
  flags: {
    storage: STORAGE_FLAG,
    clusterId: CLUSTER_FLAG,
    walFile: requiredText('--wal-file <path>', "the file's path: %p"),
    walName: WAL_NAME_FLAG,
  },
  json: 'wal_name, key, size_bytes, stored_bytes, sha256, is_new',
  examples: [
    {
      does: 'In postgresql.conf (absolute paths: the server has a PATH of its own)',
      line: "archive_command = '/usr/local/bin/backstop wal archive --storage file:///backups --cluster-id prod --wal-file %p --wal-name %f'",
    },
  ],
  async run({ flags }, { environment }) {
    // Never made here: a disk that is not mounted must not look like an archive.
    const storageUrl = existingStorage(flags.storage, environment)
    const { objects, files } = await openBackupTools(storageUrl, 'write', { environment })
    const order = { clusterId: flags.clusterId, path: flags.walFile, name: flags.walName }
    const done = await archiveWal(objects, files, order)
    const data = {
      wal_name: done.name,
      key: done.key,
      size_bytes: done.sizeBytes,
      stored_bytes: done.storedBytes,
      sha256: done.sha256,
      is_new: done.isNew,
    }
    const how = done.isNew ? `${formatBytes(done.storedBytes)} stored` : 'it was there already, the same'
    return { ok: true, data, blocks: [{ kind: 'text', text: `Archived WAL ${done.name} -> ${done.key} (${how})` }] }
  },
})
