import { expect, test } from 'vitest'
import { FUNCTIONS, permissionsOf, statementsOf } from '#lib/stacks/functions/index.ts'
import { platformStatements } from '#lib/stacks/functions/platform.ts'
import { breachesOf, type FunctionGrants, type Grant, grantsOf, RULES } from './support/permissions.ts'
import { environmentFrom, SHAPES, stageOf } from './support/stages.ts'

const prod = SHAPES['prod'] ?? expect.fail()
const staging = SHAPES['staging'] ?? expect.fail()
const stages = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, grantsOf(stageOf(shape))]))
const grants = stages['prod'] ?? expect.fail()

function of(name: string, from = grants): FunctionGrants {
  return from.find((one) => one.name === name) ?? expect.fail(`no function ${name}`)
}

/** One line for each statement: this table is what a reviewer reads. */
function tableOf(functions: readonly FunctionGrants[]): string {
  const lines = functions.flatMap(({ name, grants: own }) => [
    '',
    name,
    ...own.map(({ effect, actions, resources, conditions }) => {
      const when = conditions === '{}' ? '' : ` when ${conditions}`
      return `  ${effect === 'Deny' ? 'NOT ' : ''}${actions.join(', ')}\n      on ${resources.join(', ')}${when}`
    }),
  ])
  return lines.join('\n')
}

test('every function has a role with statements of its own; this is what each may do', () => {
  console.log(tableOf(grants))
  expect(grants.map(({ name }) => name).sort()).toEqual(FUNCTIONS.map(({ name }) => name).sort())
  for (const { grants: own } of grants) expect(own.length).toBeGreaterThanOrEqual(3)
})

test.each(Object.keys(SHAPES))('no function of %s can do what nobody should', (shape) => {
  const functions = stages[shape] ?? expect.fail()
  expect(functions.length).toBe(FUNCTIONS.length)
  expect(breachesOf(functions)).toEqual([])
})

test('a `*` in a statement has its reason written beside it', () => {
  const environment = environmentFrom(prod)
  const arn = (name: string) => ({ name, arn: `arn:aws:x:::${name}` })
  const queue = { arn: 'arn:aws:sqs:::q', url: 'https://q' }
  const places = {
    region: 'r',
    account: 'a',
    partition: 'aws',
    keys: { data: 'arn:d', messages: 'arn:m', secrets: 'arn:s' },
    table: arn('t'),
    snapshots: arn('s'),
    audit: arn('a'),
    config: arn('c'),
    tokensSecretArn: 'arn:tokens',
    webhookSecretArn: 'arn:webhooks',
    topicArn: 'arn:topic',
    queues: { run: queue, capture: queue, part: queue, alert: queue },
  }
  const all = FUNCTIONS.flatMap((row) => [
    ...platformStatements('f', 'arn:log:*', places, true),
    ...statementsOf(permissionsOf(row), places, environment),
  ])
  const wide = all.filter(({ actions, resources }) => [...actions, ...resources].some((one) => one.includes('*')))
  expect(wide.length).toBeGreaterThan(10)
  expect(wide.filter(({ reason }) => (reason ?? '').length < 20).map(({ sid }) => sid)).toEqual([])
  const narrow = all.filter((statement) => !wide.includes(statement) && statement.reason !== undefined)
  expect(narrow.map(({ sid }) => sid)).toEqual([])
})

test('the query function adds recovery points, sets and pre-images, and neither replaces nor deletes one, nor reads tokens', () => {
  const own = of('gate.query').grants
  const s3 = own.filter(({ actions }) => actions.some((action) => action.startsWith('s3:')))
  const allowed = s3.filter(({ effect }) => effect === 'Allow').flatMap(({ actions }) => actions)
  expect([...new Set(allowed)].sort()).toEqual([
    's3:AbortMultipartUpload',
    's3:GetObject',
    's3:ListBucket',
    's3:ListMultipartUploadParts',
    's3:PutObject',
  ])
  const adding = s3.filter(({ effect, actions }) => effect === 'Allow' && actions.includes('s3:PutObject'))
  expect(adding.map(({ sid }) => sid).sort()).toEqual(['SetsAdd', 'SnapshotsAdd', 'UndoAdd'])
  for (const { sid, resources } of adding) {
    expect(own.find((one) => one.sid === `${sid}Once`)).toMatchObject({
      effect: 'Deny',
      actions: ['s3:PutObject'],
      resources,
      conditions: '{"Null":{"s3:if-none-match":"true"},"Bool":{"s3:ObjectCreationOperation":"true"}}',
    })
  }
  const secrets = own.filter(({ actions }) => actions.includes('secretsmanager:GetSecretValue'))
  expect(secrets.map(({ sid }) => sid)).toEqual(['DatabaseSecret'])
})

test('retention may delete what snapshots and sets have written, and touch nothing else', () => {
  const own = of('recovery.retain').grants.filter(({ actions }) => actions.some((action) => action.startsWith('s3:')))
  const allowed = own.map(({ effect, actions, resources }) => [
    effect,
    ...actions,
    ...resources.map((one) => one.replace(/^.*>/, '')),
  ])
  expect(allowed).toEqual([
    ['Allow', 's3:GetObject', '/snapshots/*'],
    ['Allow', 's3:ListBucket', ''],
    ['Allow', 's3:DeleteObject', '/snapshots/*', '/sets/*'],
  ])
  expect(of('recovery.retain').grants.some(({ actions }) => actions.includes('rds-db:connect'))).toBe(false)
})

test('IAM authentication names one user of one database', () => {
  const connect = of('gate.query', stages['staging']).grants.find(({ sid }) => sid === 'Connect')
  expect(connect?.actions).toEqual(['rds-db:connect'])
  expect(connect?.resources.map((resource) => resource.replace(/<AWS::(\w+)>/g, '$1'))).toEqual([
    'arn:Partition:rds-db:eu-central-1:AccountId:dbuser:prx-0123456789abcdef0/backstop_gateway',
  ])
  expect(of('gate.query', stages['staging']).grants.some(({ sid }) => sid === 'DatabaseSecret')).toBe(false)
  expect(staging.database.auth.kind).toBe('rds-iam')
})

/** One breach of each rule, in the rules' order. */
const PLANTED: readonly (readonly [name: string, grant: Partial<Grant>])[] = [
  ['gate.inspect', { actions: ['s3:Get*'] }],
  ['gate.query', { actions: ['s3:DeleteObjectVersion'], resources: ['<SnapshotsArn>/snapshots/*'] }],
  ['recovery.retain', { actions: ['s3:DeleteObject'], resources: ['<SnapshotsArn>/undo/*'] }],
  ['gate.query', { actions: ['kms:ScheduleKeyDeletion'], conditions: '{"kms:ViaService":1}' }],
  ['recovery.drill', { actions: ['s3:PutObject'], resources: ['<SnapshotsArn>/snapshots/*'] }],
  ['gate.query', { actions: ['s3:PutObject'], resources: ['<AuditArn>/audit/*'] }],
  ['gate.administer', { actions: ['s3:PutObject'], resources: ['<ConfigArn>/policy.json'] }],
  ['gate.query', { actions: ['secretsmanager:GetSecretValue'], resources: ['<Tokens1180AAEA>'] }],
  ['gate.query', { actions: ['sns:Publish'], resources: ['<Alerts>'] }],
  ['gate.query', { actions: ['kms:Decrypt'], resources: ['<DataKeyArn>'] }],
  ['gate.expire', { actions: ['rds-db:connect'], resources: ['arn:aws:rds-db:r:a:dbuser:db-X/u'] }],
  ['gate.authorize', { actions: ['dynamodb:GetItem'], resources: ['<RecordsArn>'] }],
  ['gate.query', { actions: ['dynamodb:GetItem'], resources: ['*'] }],
  ['gate.query', { actions: ['ec2:CreateNetworkInterface'], resources: ['*'] }],
]

test.each(RULES.map(({ says }, index) => ({ says, index })))('a planted breach is told: $says', ({ says, index }) => {
  const [name, partial] = PLANTED[index] ?? expect.fail('plant one')
  const grant: Grant = {
    sid: 'Planted',
    effect: 'Allow',
    actions: [],
    resources: ['<X>'],
    conditions: '{}',
    ...partial,
  }
  const planted = breachesOf([{ name, grants: [grant], others: [] }])
  expect(planted).toContain(`${name}: ${says} (Planted)`)
  expect(planted.length).toBeLessThanOrEqual(3)
})

test('a policy that somebody attaches besides is told', () => {
  const { grants: own } = of('gate.seal')
  expect(breachesOf([{ name: 'gate.seal', grants: own, others: ['AdministratorAccess'] }])).toEqual([
    'gate.seal: the role has only its own statements (AdministratorAccess)',
  ])
})
