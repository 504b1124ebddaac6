/** `backstop drill table-restore`: a captured table is restored into scratch, compared and dropped. */
import { openRecoveryTools } from '#lib/runtime/tools/index.ts'
import {
  DATABASE_FLAG,
  defineCommand,
  existingStorage,
  findSetting,
  getSetting,
  integer,
  readTable,
  text,
} from '../frame/index.ts'
import { DRILL_FLAGS, tellIfKept } from './open.ts'
import { DRILL_JSON, showDrill } from './view.ts'

const MEGABYTE = 1_048_576

export const drillTableRestore = defineCommand({
  path: 'drill table-restore',
  summary: 'Restore the newest point of a table into scratch, compare it, and drop it',
  details:
    'Into a schema of the drill in the same database; rows are compared by whole-content digest, the definition piece by piece. ' +
    'Without --table the one that was drilled longest ago is taken.',
  flags: {
    db: DATABASE_FLAG,
    ...DRILL_FLAGS,
    table: text('--table <name>', 'the table: name or schema.name; it may be one that was dropped'),
    maxMegabytes: integer('--max-megabytes <n>', 'pass over points that are larger (default 1024)', 1, 10_000_000),
  },
  json: `table, snapshot_id, row_count, ${DRILL_JSON}`,
  examples: [
    {
      does: 'Before a release',
      line: 'backstop drill table-restore --db postgresql://localhost/shop --storage file:///backups --table orders',
    },
  ],
  async run({ flags }, { environment, signal }) {
    const dbUrl = getSetting(flags.db, '--db', 'BACKSTOP_DB_URL', environment)
    const storageUrl = existingStorage(flags.storage, environment)
    const metadataPath = findSetting(flags.metadataDb, 'BACKSTOP_METADATA_DB', environment)
    const tools = await openRecoveryTools({
      dbUrl,
      storageUrl,
      ...(metadataPath === undefined ? {} : { metadataPath }),
    })
    try {
      const drill = await tools.recovery.runTableDrill({
        ...(flags.table === undefined ? {} : { relation: readTable(flags.table) }),
        ...(flags.maxMegabytes === undefined ? {} : { maxBytes: flags.maxMegabytes * MEGABYTE }),
        signal,
      })
      await tellIfKept(drill, metadataPath, environment)
      return showDrill(drill)
    } finally {
      await tools.close()
    }
  },
})
