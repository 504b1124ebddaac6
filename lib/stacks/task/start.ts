/**
 * What the container runs: it fetches the bundle that was deployed, and becomes it.
 *
 * A plain Node image needs no building and so no Docker where the stacks are deployed. The image of Lambda's own Node
 * runtime brings the AWS SDK, at the place that is named here.
 */
const SDK_HOME = '/var/runtime/'

/** CommonJS, for `node -e`: one variable names the bundle as `bucket/key`. */
export const START_SCRIPT = `
const { createRequire } = require('node:module')
const { writeFile } = require('node:fs/promises')
const { join } = require('node:path')
const { tmpdir } = require('node:os')
const { pathToFileURL } = require('node:url')
const home = createRequire(process.env.BACKSTOP_TASK_SDK_HOME || '${SDK_HOME}')
const { S3Client, GetObjectCommand } = home('@aws-sdk/client-s3')
const [bucket, ...key] = (process.env.BACKSTOP_TASK_BUNDLE || '').split('/')
const start = async () => {
  const { Body } = await new S3Client({ forcePathStyle: true }).send(new GetObjectCommand({ Bucket: bucket, Key: key.join('/') }))
  const path = join(tmpdir(), 'capture.mjs')
  await writeFile(path, await Body.transformToByteArray())
  await import(pathToFileURL(path).href)
}
start().catch((error) => { console.error(JSON.stringify({ level: 'ERROR', event: 'task_not_started', reason: String(error.name) })); process.exit(1) })
`.trim()
