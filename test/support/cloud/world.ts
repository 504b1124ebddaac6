/** The world of the demonstration's steps, in front of the deployed product. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { DemoWorld } from '#lib/cli/demo/model.ts'
import { assembleWorld } from '#lib/cli/demo/world.ts'
import { outputOf } from '../../../localstack/deploy.ts'
import type { LocalCloud } from '../../../localstack/local-cloud.ts'
import { emulatorEnvironment } from '../../../localstack/run-cdk.ts'
import type { Deployed } from '../../../localstack/state.ts'

export interface CloudWorld {
  readonly world: DemoWorld
  close(): Promise<void>
}

/** As an operator's own machine would have it: the command reads the buckets and the table of the deployment. */
function environmentFor(deployed: Deployed, cloud: Omit<LocalCloud, 'stop'>, args: readonly string[]) {
  const { outputs, tokens } = deployed
  const at = `@${cloud.endpoint}`
  const bucket = outputOf(outputs, args[0] === 'audit' ? 'AuditBucketName' : 'SnapshotBucketName')
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    ...emulatorEnvironment(cloud.endpoint),
    BACKSTOP_URL: deployed.apiUrl,
    BACKSTOP_TOKEN: tokens.operator,
    BACKSTOP_DB_URL: cloud.database.url,
    BACKSTOP_STORAGE_URL: `s3://${bucket}${at}`,
    BACKSTOP_METADATA_DB: `dynamodb://${outputOf(outputs, 'TableName')}${at}`,
    BACKSTOP_ENVIRONMENT: 'local',
  }
}

export function openCloudWorld(deployed: Deployed, cloud: Omit<LocalCloud, 'stop'>): CloudWorld {
  const database = openPostgres({ url: cloud.database.url, maxConnections: 1, applicationName: 'backstop-journey' })
  const world = assembleWorld({
    url: deployed.apiUrl,
    databaseUrl: cloud.database.url,
    database,
    tokens: deployed.tokens,
    environmentFor: (args) => environmentFor(deployed, cloud, args),
    signal: new AbortController().signal,
  })
  return { world, close: () => database.close() }
}
