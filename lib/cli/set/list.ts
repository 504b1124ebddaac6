/** `backstop sets list`: which tables can be recovered together, from the storage alone. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { openPointTools } from '#lib/runtime/tools/index.ts'
import {
  DATABASE_FLAG,
  defineCommand,
  existingMetadata,
  existingStorage,
  METADATA_FLAG,
  STORAGE_FLAG,
} from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { findSets } from './find-sets.ts'
import { setData, setTable } from './view.ts'

export const setsList = defineCommand({
  path: 'sets list',
  summary: 'List sets of tables that were captured at one instant, newest first',
  details:
    'The storage alone is read, so this works when database and gateway are gone. A set of which one member is missing or ' +
    'not valid is invalid; its other members can still be restored alone.',
  flags: {
    storage: STORAGE_FLAG,
    db: { ...DATABASE_FLAG, summary: 'accepted and not needed' },
    metadataDb: METADATA_FLAG,
  },
  json: 'sets[] (members[]), problems[]',
  examples: [{ does: 'What there is', line: 'backstop sets list --storage file:///backups' }],
  async run({ flags }, { environment }) {
    const storageUrl = existingStorage(flags.storage, environment)
    const metadataPath = existingMetadata(flags.metadataDb, environment)
    const tools = await openPointTools({ storageUrl, ...(metadataPath === undefined ? {} : { metadataPath }) })
    try {
      const { sets, problems } = await findSets(tools.recovery)
      const nowMs = systemClock.nowMs()
      const blocks: Block[] = [setTable(sets, nowMs, 'There is no set here.')]
      const invalid = sets.flatMap(({ setId, problem }) => (problem === undefined ? [] : [[setId, problem]]))
      const others = problems.map(({ key, reason }) => [key, reason])
      if (invalid.length + others.length > 0) {
        const columns = [{ title: 'set' }, { title: 'why' }]
        blocks.push({ kind: 'title', text: 'Never offered' })
        blocks.push({ kind: 'table', columns, rows: [...invalid, ...others], whenEmpty: '' })
      }
      return { ok: true, data: { sets: sets.map((set) => setData(set, nowMs)), problems }, blocks }
    } finally {
      await tools.close()
    }
  },
})
