/** Stages to look at: the examples of config/ and the shapes that no example has, with placeholders for the bundles. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, type Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { FUNCTIONS, folderOf } from '#lib/stacks/functions/index.ts'
import { BackstopStage, type Environment, type EnvironmentInput, parseEnvironment } from '#lib/stacks/index.ts'
import { TASK_BUNDLE } from '#lib/stacks/task/index.ts'
import { environment as dev } from '../../../config/dev.ts'
import { environment as prod } from '../../../config/prod.ts'
import { environment as staging } from '../../../config/staging.ts'

export const EXAMPLES = { dev, staging, prod } as const

const certificateArn = 'arn:aws:acm:eu-central-1:123456789012:certificate/0123'
const domain = { name: 'backstop.example.com', certificateArn }

/** Together they use every choice that a config has. */
export const SHAPES: Readonly<Record<string, EnvironmentInput>> = {
  ...EXAMPLES,
  'http-domain-cors': { ...prod, name: 'cors', api: { domain, corsOrigins: ['https://console.example.com'] } },
  'rest-firewall': { ...prod, name: 'rest', api: { kind: 'rest', domain, firewall: { ratePerFiveMinutes: 2_000 } } },
  private: { ...prod, name: 'private', api: { kind: 'private', vpcEndpointId: 'vpce-0123456789abcdef0' } },
  'no-network': {
    name: 'bare',
    clusterId: 'bare',
    onDelete: 'destroy',
    isEmulated: true,
    database: {
      host: '127.0.0.1',
      name: 'shop',
      user: 'backstop_gateway',
      tls: 'disable',
      auth: { kind: 'secret', secretArn: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:db-AbCdEf' },
    },
  },
}

let folder: string | undefined

function placeholders(): string {
  if (folder !== undefined) return folder
  folder = mkdtempSync(join(tmpdir(), 'backstop-bundles-'))
  for (const row of FUNCTIONS) {
    mkdirSync(join(folder, folderOf(row)))
    writeFileSync(join(folder, folderOf(row), 'index.mjs'), `export const handler = async () => '${row.name}'\n`)
  }
  mkdirSync(join(folder, TASK_BUNDLE))
  writeFileSync(join(folder, TASK_BUNDLE, 'index.mjs'), 'process.exit(0)\n')
  return folder
}

export function environmentFrom(input: EnvironmentInput): Environment {
  return parseEnvironment(input, 'a test')
}

const made = new Map<string, BackstopStage>()

/** Synthesized, once for each input: only to be looked at. */
export function stageOf(input: EnvironmentInput): BackstopStage {
  const key = JSON.stringify(input)
  const stage = made.get(key) ?? synthesize(input)
  made.set(key, stage)
  return stage
}

function synthesize(input: EnvironmentInput): BackstopStage {
  const environment = environmentFrom(input)
  const policy = environment.policyFile === undefined ? undefined : { text: '{"block_operations":["DROP"]}' }
  const app = new App({ context: { 'aws:cdk:disable-asset-staging': true }, analyticsReporting: false })
  const stage = new BackstopStage(app, { environment, bundles: placeholders(), policy })
  app.synth()
  return stage
}

export interface Resource {
  readonly Type: string
  // biome-ignore lint/suspicious/noExplicitAny: a template is JSON of any shape
  readonly Properties: any
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
}

export function resourcesOf(stack: Stack, type: string): readonly Resource[] {
  return Object.values(Template.fromStack(stack).findResources(type)) as Resource[]
}

export function stacksOf(stage: BackstopStage): readonly Stack[] {
  const { shared, storage, messaging, network, gate, recovery, task, observability } = stage
  const optional = [network, task].filter((stack) => stack !== undefined)
  return [shared, storage, messaging, ...optional, gate, recovery, observability]
}
