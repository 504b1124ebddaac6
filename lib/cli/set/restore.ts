/** `backstop sets restore`: all tables of a set in one transaction, and one script for the way back. */
import { openRecoveryTools } from '#lib/runtime/tools/index.ts'
import {
  choice,
  DATABASE_FLAG,
  defineCommand,
  existingMetadata,
  existingStorage,
  getSetting,
  METADATA_FLAG,
  requiredText,
  STORAGE_FLAG,
  text,
  toggle,
} from '../frame/index.ts'
import { placeOf, readSetId, restoreSet, SET_PLACE_FLAGS, SET_RESTORE_JSON } from './restore-set.ts'

export const setsRestore = defineCommand({
  path: 'sets restore',
  summary: 'Restore all tables of a set together, beside the originals',
  details:
    'Every part of every table is proven before the database is touched. All tables are restored in one transaction, each ' +
    'compared by its whole content, and the foreign keys between them are made between the recovered tables. Where anything ' +
    'fails nothing is kept. The way back is one script for all of them.',
  flags: {
    setId: requiredText('--set-id <id>', 'which set: set_…'),
    ...SET_PLACE_FLAGS,
    conflictPolicy: choice(
      '--conflict-policy <policy>',
      'for the way back, of rows that differ: set them back, leave them, or refuse',
      ['overwrite', 'skip', 'fail'] as const,
      'overwrite',
    ),
    copybackFile: text('--copyback-file <path>', 'write the SQL of the way back to this file'),
    dryRun: toggle('--dry-run', 'verify the set and say what would happen'),
    db: DATABASE_FLAG,
    storage: STORAGE_FLAG,
    metadataDb: METADATA_FLAG,
  },
  json: SET_RESTORE_JSON,
  examples: [
    {
      does: 'Into a schema of its own',
      line: 'backstop sets restore --set-id set_5a0c… --schema recovered --db postgresql://localhost/shop --storage file:///backups',
    },
    {
      does: 'Look before',
      line: 'backstop sets restore --set-id set_5a0c… --dry-run --db postgresql://localhost/shop --storage file:///backups',
    },
  ],
  async run({ flags }, context) {
    const { environment } = context
    const dbUrl = getSetting(flags.db, '--db', 'BACKSTOP_DB_URL', environment)
    const storageUrl = existingStorage(flags.storage, environment)
    const metadataPath = existingMetadata(flags.metadataDb, environment)
    const setId = readSetId(flags.setId)
    const tools = await openRecoveryTools({
      dbUrl,
      storageUrl,
      ...(metadataPath === undefined ? {} : { metadataPath }),
    })
    try {
      return await restoreSet(tools.recovery, { ...flags, setId, place: placeOf(flags) }, context)
    } finally {
      await tools.close()
    }
  },
})
