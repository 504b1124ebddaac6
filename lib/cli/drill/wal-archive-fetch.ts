/** `backstop drill wal-archive-fetch`: WAL goes into an archive and comes back. */
import { runWalDrill } from '#lib/recovery/index.ts'
import { defineCommand } from '../frame/index.ts'
import { CLUSTER_FLAG } from '../wal/index.ts'
import { DRILL_FLAGS, withDrillTools } from './open.ts'
import { DRILL_JSON, showDrill } from './view.ts'

export const drillWalArchiveFetch = defineCommand({
  path: 'drill wal-archive-fetch',
  summary: 'Archive WAL into scratch, fetch it back, and prove the newest real segment',
  details:
    'A segment that no server wrote is archived in a folder of the drill, archived again, overwritten, fetched, damaged: each ' +
    'has to end as it should. Of the real archive the newest segment is fetched and proven; it is never written to.',
  flags: { ...DRILL_FLAGS, clusterId: CLUSTER_FLAG },
  json: `wal_name, key, newest_wal_name, ${DRILL_JSON}`,
  examples: [
    {
      does: 'Every day, for CI',
      line: 'backstop drill wal-archive-fetch --storage s3://prod-snapshots --cluster-id prod --json',
    },
  ],
  async run({ flags }, context) {
    const { clusterId } = flags
    const request = { clusterId, signal: context.signal }
    return showDrill(await withDrillTools(flags, context, (tools) => runWalDrill(tools, request)))
  },
})
