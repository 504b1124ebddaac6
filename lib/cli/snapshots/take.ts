/** `backstop snapshot`: take a recovery point of one table now. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { openRecoveryTools } from '#lib/runtime/tools/index.ts'
import {
  DATABASE_FLAG,
  defineCommand,
  findSetting,
  getSetting,
  METADATA_FLAG,
  readTable,
  requiredText,
  rowLimit,
  STORAGE_FLAG,
  workerCount,
} from '../frame/index.ts'
import { pointData, pointTable } from './point-view.ts'

export const snapshotTake = defineCommand({
  path: 'snapshot',
  summary: 'Take a recovery point of a table now',
  details: 'The point counts only after it was read back and compared.',
  flags: {
    table: requiredText('--table <name>', 'the table: name or schema.name'),
    db: DATABASE_FLAG,
    storage: STORAGE_FLAG,
    metadataDb: METADATA_FLAG,
  },
  json: 'snapshot',
  examples: [
    {
      does: 'Before a migration',
      line: 'backstop snapshot --table payments --db postgresql://localhost/shop --storage file:///backups',
    },
  ],
  async run({ flags }, { environment }) {
    const dbUrl = getSetting(flags.db, '--db', 'BACKSTOP_DB_URL', environment)
    const storageUrl = getSetting(flags.storage, '--storage', 'BACKSTOP_STORAGE_URL', environment)
    const metadataPath = findSetting(flags.metadataDb, 'BACKSTOP_METADATA_DB', environment)
    const relation = readTable(flags.table)
    const tools = await openRecoveryTools({
      dbUrl,
      storageUrl,
      ...(metadataPath === undefined ? {} : { metadataPath }),
      ...rowLimit(environment),
      ...workerCount(environment),
    })
    try {
      const point = await tools.recovery.capture(relation, 'manual')
      const nowMs = systemClock.nowMs()
      return { ok: true, data: { snapshot: pointData(point, nowMs) }, blocks: [pointTable([point], nowMs, '')] }
    } finally {
      await tools.close()
    }
  },
})
