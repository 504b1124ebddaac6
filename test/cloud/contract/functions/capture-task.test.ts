/** The container's own way: the script that its image runs, the bundle that it fetches, and one capture by it. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { buildTasks } from '#functions/build.ts'
import { awsClientConfig } from '#lib/adapters/aws/index.ts'
import { START_SCRIPT, TASK_BUNDLE } from '#lib/stacks/task/index.ts'
import { type FunctionWorld, openFunctionWorld } from '#test/support/functions/world.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')
const BUNDLE = { Bucket: 'assets', Key: 'some/asset.mjs' }
let world: FunctionWorld
let folder: string

beforeAll(async () => {
  const endpoint = inject('cloudEndpoint')
  world = await openFunctionWorld(
    endpoint,
    'CREATE TABLE orders (id int PRIMARY KEY, total numeric); INSERT INTO orders SELECT i, i FROM generate_series(1, 500) i',
  )
  folder = await mkdtemp(join(tmpdir(), 'backstop-task-'))
  expect(await buildTasks(folder)).toEqual([TASK_BUNDLE])
  const credentials = {
    accessKeyId: world.environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: world.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  }
  const aws = { region: world.environment['AWS_REGION'] ?? '', endpoint, credentials }
  const s3 = new S3Client({ ...awsClientConfig(aws), forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: BUNDLE.Bucket }))
  await s3.send(new PutObjectCommand({ ...BUNDLE, Body: await readFile(join(folder, TASK_BUNDLE, 'index.mjs')) }))
  s3.destroy()
}, 120_000)

afterAll(async () => {
  await world.close()
  await rm(folder, { recursive: true, force: true })
})

interface Ended {
  readonly exitCode: number
  readonly output: string
}

/** As the image does it, with the SDK of this project in place of the image's. */
function start(order: string | undefined, bundle = `${BUNDLE.Bucket}/${BUNDLE.Key}`): Promise<Ended> {
  const env = {
    ...world.environment,
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    TMPDIR: folder,
    BACKSTOP_TASK_SDK_HOME: `${root}/`,
    BACKSTOP_TASK_BUNDLE: bundle,
    ...(order === undefined ? {} : { BACKSTOP_CAPTURE_ORDER: order }),
  }
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', START_SCRIPT], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` }),
    )
  })
}

async function orderOf(table: string): Promise<string> {
  const [row] = await world.db.run(`SELECT '${table}'::regclass::oid::int AS oid`)
  const relation = { schema: 'public', name: table }
  const rest = { origin: 'schedule', because: 'no-point', minimumAgeMs: 60_000, dedupeKey: 'capture-1' }
  return JSON.stringify({ relation, relationOid: row?.['oid'], sizeBytes: 1_000_000, ...rest })
}

it('fetches its bundle, captures the table of its order, and ends', async () => {
  const { exitCode, output } = await start(await orderOf('orders'))
  expect({ exitCode, output }).toMatchObject({ exitCode: 0 })
  expect(output).toContain('"status":"captured"')
  expect(output).toContain('"table":"public.orders"')
}, 60_000)

it('finds the work done when the same order comes again', async () => {
  expect((await start(await orderOf('orders'))).output).toContain('"status":"fresh"')
}, 60_000)

it.each([
  ['without an order', undefined, '"code":"WORK_INVALID"'],
  ['for an order that is no JSON', '{"relation":', '"code":"WORK_INVALID"'],
  ['for an order that lacks its table', '{"origin":"schedule"}', '"code":"CAPTURE_ORDER_INVALID"'],
])('ends with 1 %s, and says why', async (_, order, says) => {
  const { exitCode, output } = await start(order)
  expect(exitCode).toBe(1)
  expect(output).toContain(says)
})

it('ends with 1 where its bundle is not', async () => {
  const { exitCode, output } = await start(await orderOf('orders'), 'assets/nothing.mjs')
  expect(exitCode).toBe(1)
  expect(output).toContain('task_not_started')
})
