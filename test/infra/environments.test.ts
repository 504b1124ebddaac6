import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { PRODUCT_VARIABLES } from '#lib/product/index.ts'
import { TUNING } from '#lib/stacks/functions/index.ts'
import { FUNCTIONS, folderOf, parseEnvironment } from '#lib/stacks/index.ts'
import { TASK_BUNDLE } from '#lib/stacks/task/index.ts'
import { EXAMPLES, resourcesOf, SHAPES, stageOf } from './support/stages.ts'

const root = join(import.meta.dirname, '..', '..')
let folder: string
let bundles: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-synth-'))
  bundles = join(folder, 'bundles')
  for (const row of FUNCTIONS) {
    await mkdir(join(bundles, folderOf(row)), { recursive: true })
    await writeFile(join(bundles, folderOf(row), 'index.mjs'), 'export const handler = async () => {}\n')
  }
  await mkdir(join(bundles, TASK_BUNDLE), { recursive: true })
  await writeFile(join(bundles, TASK_BUNDLE, 'index.mjs'), 'process.exit(0)\n')
})

interface Ended {
  readonly exitCode: number
  readonly output: string
}

/** With a home of its own and no variable of AWS: no credentials, no region, no profile. */
function cdk(...args: string[]): Promise<Ended> {
  const bin = join(root, 'node_modules', '.bin')
  const env = {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_VERSION_CHECK: '1',
    CDK_DISABLE_CLI_TELEMETRY: '1',
  }
  const all = ['--no-notices', '--app', 'node bin/app.ts', '-c', `bundles=${bundles}`, ...args]
  return new Promise((resolve) => {
    execFile(join(bin, 'cdk'), all, { cwd: root, env, timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` })
    })
  })
}

test.each(Object.keys(EXAMPLES))('cdk synth of %s needs no credentials', async (name) => {
  const out = join(folder, `out-${name}`)
  const { exitCode, output } = await cdk('synth', '--quiet', '-o', out, '-c', `environment=${name}`)
  expect({ exitCode, output }).toMatchObject({ exitCode: 0 })
  const manifest = JSON.parse(await readFile(join(out, `assembly-${name}`, 'manifest.json'), 'utf8'))
  const stacks = Object.values(
    manifest.artifacts as Record<string, { type: string; properties: { stackName: string } }>,
  )
    .filter(({ type }) => type === 'aws:cloudformation:stack')
    .map(({ properties }) => properties.stackName)
  expect(stacks.sort()).toEqual(
    ['gate', 'messaging', 'network', 'observability', 'recovery', 'shared', 'storage', 'task']
      .filter((part) => part !== 'task' || EXAMPLES[name as keyof typeof EXAMPLES].captureTask !== undefined)
      .map((part) => `backstop-${name}-${part}`),
  )
})

describe('refuses before anything is synthesized', () => {
  test('when no environment is named', async () => {
    const { exitCode, output } = await cdk('list')
    expect(exitCode).not.toBe(0)
    expect(output).toContain('Say -c environment=dev, or -c config=<file>.')
  })

  test('an environment that has no file', async () => {
    expect((await cdk('list', '-c', 'environment=nowhere')).output).toContain(
      'Write it after the example of config/dev.ts.',
    )
  })

  test('a policy file that is no JSON', async () => {
    const policyFile = join(folder, 'policy.json')
    const config = join(folder, 'config.json')
    await writeFile(policyFile, '{ not json')
    await writeFile(config, JSON.stringify({ ...EXAMPLES.dev, policyFile }))
    expect((await cdk('list', '-c', `config=${config}`)).output).toContain('policyFile: ')
  })
})

const dev = EXAMPLES.dev
const withDatabase = (part: object) => ({ ...dev, database: { ...dev.database, ...part } })

test.each([
  ['a misspelt field', { ...dev, regoin: 'eu-central-1' }, /Unrecognized key: "regoin"/],
  ['a name with a capital', { ...dev, name: 'Dev' }, /^ {2}name: takes 2 to 16 lower-case letters/m],
  ['no database', { ...dev, database: undefined }, /^ {2}database: /m],
  [
    'an ARN that is none',
    withDatabase({ auth: { kind: 'secret', secretArn: 'orders' } }),
    /^ {2}database\.auth\.secretArn: takes an ARN/m,
  ],
  [
    'a name where an id is meant',
    withDatabase({ auth: { kind: 'rds-iam', resourceId: 'orders' } }),
    /^ {2}database\.auth\.resourceId: takes a resource id/m,
  ],
  [
    'an unverified connection',
    withDatabase({ tls: 'disable' }),
    /^ {2}database\.tls: must be "verify-full" outside an emulator/m,
  ],
  [
    'a role with a quote',
    withDatabase({ agentRole: 'a"b' }),
    /^ {2}database\.agentRole: takes the plain name of a database role/m,
  ],
  [
    'a firewall before an HTTP API',
    { ...dev, api: { firewall: { ratePerFiveMinutes: 100 } } },
    /^ {2}api\.firewall: needs kind "rest"/m,
  ],
  [
    'a private API without its endpoint',
    { ...dev, api: { kind: 'private' } },
    /^ {2}api\.vpcEndpointId: goes with kind "private"/m,
  ],
  [
    'an origin without TLS',
    { ...dev, api: { corsOrigins: ['http://x.example'] } },
    /^ {2}api\.corsOrigins\.0: takes an origin/m,
  ],
  [
    'points that go too soon',
    { ...dev, onDelete: 'retain', snapshots: { keepDays: 7 } },
    /^ {2}snapshots\.keepDays: must be at least 30/m,
  ],
  [
    'a tuning name that nobody reads',
    { ...dev, settings: { BACKSTOP_MAX_ROW: '5' } },
    /settings\.BACKSTOP_MAX_ROW: no function reads it/,
  ],
  ['a time of day that is none', { ...dev, drillAt: '25:00' }, /^ {2}drillAt: takes a time of day/m],
])('names the field: %s', (_what, input, message) => {
  expect(() => parseEnvironment(input, 'config/dev.ts')).toThrow(message)
})

test('what is retained in production goes in a trial, and what is tagged is tagged everywhere', () => {
  const prod = stageOf(SHAPES['prod'] ?? expect.fail())
  for (const type of ['AWS::DynamoDB::Table', 'AWS::KMS::Key', 'AWS::SecretsManager::Secret']) {
    const found = resourcesOf(prod.shared, type)
    expect(found.length).toBeGreaterThan(0)
    for (const { DeletionPolicy, Properties } of found) {
      expect(DeletionPolicy).toBe('Retain')
      const tags = Object.fromEntries(
        Properties.Tags.map(({ Key, Value }: { Key: string; Value: string }) => [Key, Value]),
      )
      expect(tags).toMatchObject({
        product: 'backstop',
        environment: 'prod',
        'cost-center': 'platform',
        criticality: 'high',
      })
    }
  }
  for (const stack of [prod.shared, prod.storage, prod.gate]) expect(stack.terminationProtection).toBe(true)
  expect(stageOf(dev).shared.terminationProtection).toBe(false)
})

test('tuning reaches the functions that read it', () => {
  const stage = stageOf({ ...dev, settings: { BACKSTOP_MAX_ROWS: '50', BACKSTOP_TOKEN_CACHE_SECONDS: '5' } })
  const holders = (key: string) =>
    [stage.gate, stage.recovery]
      .flatMap((stack) => resourcesOf(stack, 'AWS::Lambda::Function'))
      .filter(({ Properties }) => Properties.Environment?.Variables?.[key] !== undefined)
      .map(({ Properties }) => String(Properties.FunctionName).replace('backstop-dev-', ''))
  expect(holders('BACKSTOP_TOKEN_CACHE_SECONDS')).toEqual(['gate-authorize', 'gate-administer'])
  expect(holders('BACKSTOP_MAX_ROWS')).toContain('gate-query')
  expect(holders('BACKSTOP_MAX_ROWS')).not.toContain('gate-authorize')
})

/** Settings of the product that an environment cannot tune, and why. */
const NOT_TUNED: Readonly<Record<string, string>> = {
  BACKSTOP_ENVIRONMENT: 'the name of the environment',
  BACKSTOP_CLUSTER_ID: 'clusterId',
  BACKSTOP_AGENT_ROLE: 'database.agentRole',
  BACKSTOP_DEV_MODE: 'never in the cloud',
  BACKSTOP_CAPTURE_WORKERS: 'a function has one session; ranges of large tables go to other functions',
  BACKSTOP_MAX_CONNECTIONS: 'an instance has one of each kind',
  BACKSTOP_RETENTION_INTERVAL_HOURS: 'retainAt: the schedule starts it',
  BACKSTOP_DRILL_INTERVAL_HOURS: 'drillAt: the schedule starts it',
  BACKSTOP_DRILL_NATIVE_INTERVAL_HOURS: 'functions have no programs of PostgreSQL',
}

test('every setting of the product can be tuned, or has a reason why not', () => {
  const known = [...TUNING, ...Object.keys(NOT_TUNED)]
  const missing = Object.keys(PRODUCT_VARIABLES).filter((name) => !known.includes(name))
  expect(missing).toEqual([])
  expect(new Set(known).size).toBe(known.length)
})
