/** `backstop snapshots kept`: what is pinned or under a legal hold, by whom and why. */
import { defineCommand } from '../frame/index.ts'
import { openRetention, RETENTION_FLAGS } from './open-retention.ts'
import { keepData, keepTable } from './retention-view.ts'

export const snapshotsKept = defineCommand({
  path: 'snapshots kept',
  summary: 'List recovery points that are pinned or under a legal hold',
  flags: RETENTION_FLAGS,
  json: 'kept[] (snapshot_id, kind pin or hold, reason, by, since)',
  examples: [{ does: 'Of a product', line: 'backstop snapshots kept --data ./backstop-data' }],
  async run({ flags }, context) {
    const tools = await openRetention(flags, context)
    try {
      const keeps = await tools.recovery.listKeeps()
      return { ok: true, data: { kept: keeps.map(keepData) }, blocks: [keepTable(keeps, 'Nothing is pinned or held.')] }
    } finally {
      await tools.close()
    }
  },
})
