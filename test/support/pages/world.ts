/** The product as the pages know it: in front of a database, with a bucket as its storage, and a shell for the operator's lines. */
import { inject } from 'vitest'
import { makeBucket, S3_CREDENTIALS, type TestBucket } from '#test/support/cloud/s3.ts'
import { eventually } from '#test/support/eventually.ts'
import { type Guarded, type GuardedOptions, startGuarded, TOKENS } from './guarded.ts'
import { openShell, type Shell } from './shell.ts'

export const AWS = {
  AWS_ACCESS_KEY_ID: S3_CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: S3_CREDENTIALS.secretAccessKey,
  AWS_REGION: 'us-east-1',
} as const

export interface PageWorld extends Guarded {
  readonly shell: Shell
  /** What an operator's shell has set. */
  readonly environment: Readonly<Record<string, string>>
}

export interface BucketWorld extends PageWorld {
  readonly bucket: TestBucket
}

function environmentOf(guarded: Guarded): Record<string, string> {
  return {
    ...AWS,
    BACKSTOP_URL: guarded.url,
    SIDECAR_URL: guarded.syncUrl,
    BACKSTOP_DB_URL: guarded.db.url,
    BACKSTOP_TOKENS: guarded.tokensPath,
    STORAGE: guarded.storage,
    METADATA: guarded.metadataPath,
    AGENT_TOKEN: TOKENS.agent,
    OPERATOR_TOKEN: TOKENS.operator,
    OPS_TOKEN: TOKENS.ops,
    ADMIN_TOKEN: TOKENS.admin,
  }
}

/** Its storage is a folder unless the options say otherwise. */
export async function startPages(options: GuardedOptions = {}): Promise<PageWorld> {
  const guarded = await startGuarded(options)
  const environment = environmentOf(guarded)
  return { ...guarded, environment, shell: openShell(guarded.folder.path, environment) }
}

export async function startOnBucket(options: GuardedOptions = {}): Promise<BucketWorld> {
  const endpoint = inject('cloudEndpoint')
  const bucket = await makeBucket(endpoint)
  const storage = { ...AWS, BACKSTOP_STORAGE_URL: `s3://${bucket.name}@${endpoint}` }
  const world = await startPages({ ...options, environment: { ...storage, ...options.environment } })
  return { ...world, bucket }
}

/** Each of the seeded tables has a point, and the round that took them is over. */
export async function untilCaptured(world: Guarded, tables: readonly string[] = ['users', 'ledger', 'events']) {
  for (const table of tables) {
    await eventually(async () => (await world.get(`/metadata/snapshots?table=${table}`, 'ops')).json.length > 0, {
      timeoutMs: 60_000,
      everyMs: 100,
      what: `a recovery point of ${table}`,
    })
  }
  const hasBeaten = async () => (await world.get('/metadata/health', 'ops')).json.sidecar_heartbeat_age_seconds !== null
  await eventually(hasBeaten, { timeoutMs: 60_000, everyMs: 100, what: 'the end of the first round' })
}
