/** `backstop up`: the whole product in one process, until it is told to stop. */
import { defineCommand, integer, text } from '../frame/index.ts'
import { bannerBlocks, bannerData } from './banner.ts'
import { startUp } from './start.ts'
import { untilAborted } from './until-aborted.ts'

export const up = defineCommand({
  path: 'up',
  summary: 'Run the product: gateway, recovery points, audit',
  details:
    'With BACKSTOP_DB_URL it guards that database, and needs a token file (BACKSTOP_TOKENS). Without, it starts an ' +
    'embedded PostgreSQL with a demonstration shop and makes tokens for this run.',
  flags: {
    port: integer('--port <number>', 'port of the gateway (BACKSTOP_PORT, default 8080)', 0, 65_535),
    data: text('--data <folder>', 'keep everything here (default .backstop; the embedded database: nothing is kept)'),
  },
  json: 'one line as soon as it is ready: event, version, url, database, is_embedded, storage, metadata_db, data_folder, dev_mode, tokens[], pid',
  examples: [
    { does: 'Try it', line: 'backstop up' },
    {
      does: 'Guard a database',
      line: 'BACKSTOP_DB_URL=postgresql://… BACKSTOP_TOKENS=tokens.json backstop up --data /var/lib/backstop',
    },
  ],
  async run({ flags }, context) {
    const order = {
      ...(flags.port === undefined ? {} : { port: flags.port }),
      ...(flags.data === undefined ? {} : { dataFolder: flags.data }),
    }
    const started = await startUp(order, context.environment)
    try {
      if (context.signal.aborted) return undefined
      await context.show(bannerData(started), bannerBlocks(started))
      await untilAborted(context.signal)
      context.note('Stopping: running statements are finished first.')
    } finally {
      await started.stop()
    }
    return undefined
  },
})
