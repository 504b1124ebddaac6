/** `backstop snapshots list`: what can be recovered, from the storage alone. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { openPointTools } from '#lib/runtime/tools/index.ts'
import {
  DATABASE_FLAG,
  defineCommand,
  existingMetadata,
  existingStorage,
  METADATA_FLAG,
  readTable,
  STORAGE_FLAG,
  text,
} from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import type { TableFilter } from './find-points.ts'
import { findPoints } from './find-points.ts'
import { pointData, pointTable } from './point-view.ts'

export function tableFilter(written: string | undefined): TableFilter | undefined {
  if (written === undefined) return undefined
  const relation = readTable(written)
  return { relation, isAnySchema: readTable(written, '').schema === '' }
}

export const snapshotsList = defineCommand({
  path: 'snapshots list',
  summary: 'List recovery points, newest first',
  details:
    'The storage alone is read, so this works when database and gateway are gone. With the metadata database the list ' +
    'also says which points were set aside.',
  flags: {
    table: text('--table <name>', 'only this table: name or schema.name'),
    storage: STORAGE_FLAG,
    db: { ...DATABASE_FLAG, summary: 'accepted and not needed' },
    metadataDb: METADATA_FLAG,
  },
  json: 'snapshots[], problems[]',
  examples: [{ does: 'Of one table', line: 'backstop snapshots list --table users --storage file:///backups' }],
  async run({ flags }, { environment }) {
    const storageUrl = existingStorage(flags.storage, environment)
    const metadataPath = existingMetadata(flags.metadataDb, environment)
    const filter = tableFilter(flags.table)
    const tools = await openPointTools({ storageUrl, ...(metadataPath === undefined ? {} : { metadataPath }) })
    try {
      const { points, problems } = await findPoints(tools.recovery, filter)
      const nowMs = systemClock.nowMs()
      const blocks: Block[] = [pointTable(points, nowMs, 'There is no recovery point here.')]
      if (problems.length > 0) {
        const rows = problems.map(({ key, code, reason }) => [key, code, reason])
        const columns = [{ title: 'object' }, { title: 'problem' }, { title: 'why' }]
        blocks.push({ kind: 'title', text: 'Never offered' }, { kind: 'table', columns, rows, whenEmpty: '' })
      }
      return { ok: true, data: { snapshots: points.map((point) => pointData(point, nowMs)), problems }, blocks }
    } finally {
      await tools.close()
    }
  },
})
