/** `backstop wal fetch`: what PostgreSQL's restore_command calls. */
import { fetchWal } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import {
  type CommandResult,
  defineCommand,
  describeFailure,
  encodeFailure,
  existingStorage,
  requiredText,
  STORAGE_FLAG,
} from '../frame/index.ts'
import { CLUSTER_FLAG, WAL_NAME_FLAG } from './flags.ts'

const EXIT_NOT_THERE = 1
/** Above 125: PostgreSQL stops the recovery instead of taking the end of what it has for the end of the WAL. */
const EXIT_STOP_RECOVERY = 200

/** Wrong usage too: the exit code 2 would read as "not in the archive". */
function stop(error: unknown, isJson: boolean, note: (text: string) => void): CommandResult {
  const failure = describeFailure(error)
  if (!isJson) note(`Error: ${failure.message}\nHint:  ${failure.hint}`)
  return { ok: false, exitCode: EXIT_STOP_RECOVERY, data: encodeFailure(failure), blocks: [] }
}

export const walFetch = defineCommand({
  path: 'wal fetch',
  summary: 'Fetch one file of WAL: what restore_command calls',
  details:
    'The content is compared with its SHA-256 before the file takes its name. Exit codes are those that PostgreSQL wants: ' +
    '0 the file is there; 1 it is not in the archive, which ends a recovery in the ordinary way; 200 it cannot be told or not ' +
    'be trusted (damaged, storage not reachable, disk full), which stops the server instead of losing what follows.',
  flags: {
    storage: STORAGE_FLAG,
    clusterId: CLUSTER_FLAG,
    walName: WAL_NAME_FLAG,
    output: requiredText('--output <path>', 'where it goes: %p'),
  },
  json: 'wal_name, key, size_bytes (absent when it is not there)',
  examples: [
    {
      does: 'As "backstop pitr prepare-restore" writes it',
      line: "restore_command = '/usr/local/bin/backstop wal fetch --storage file:///backups --cluster-id prod --wal-name %f --output %p'",
    },
  ],
  async run({ flags }, { environment, isJson, note }) {
    try {
      const { objects, files } = await openBackupTools(existingStorage(flags.storage, environment), 'read', {
        environment,
      })
      const order = { clusterId: flags.clusterId, name: flags.walName, outputPath: flags.output }
      const done = await fetchWal(objects, files, order)
      const data = { wal_name: done.name, key: done.key }
      if (!done.found) {
        const text = `WAL ${done.name} is not in the archive`
        return { ok: false, exitCode: EXIT_NOT_THERE, data, blocks: [{ kind: 'text', text }] }
      }
      const text = `Fetched WAL ${done.name} -> ${flags.output}`
      return { ok: true, data: { ...data, size_bytes: done.sizeBytes }, blocks: [{ kind: 'text', text }] }
    } catch (error) {
      return stop(error, isJson, note)
    }
  },
})
