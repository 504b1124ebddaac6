/** Bootstraps and deploys the whole product to an empty local cloud, in front of a database with the demonstration's shop. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { buildFunctions } from '#functions/build.ts'
import { makeShopTokens } from '#lib/cli/shop/index.ts'
import { AGENT_ROLE, seedDatabase } from './demo-data.ts'
import type { LocalCloud } from './local-cloud.ts'
import { finishDeployment } from './post-deploy.ts'
import { LOCAL_ACCOUNT, LOCAL_REGION, runCdk } from './run-cdk.ts'
import { type Deployed, STATE_FOLDER } from './state.ts'

type Cloud = Omit<LocalCloud, 'stop'>

function clientFor(cloud: Cloud): SecretsManagerClient {
  return new SecretsManagerClient({
    endpoint: cloud.endpoint,
    region: LOCAL_REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
}

/** As RDS would have made it. */
async function createDatabaseSecret(cloud: Cloud, login: object): Promise<string> {
  const created = await clientFor(cloud).send(
    new CreateSecretCommand({ Name: 'backstop/local/database', SecretString: JSON.stringify(login) }),
  )
  if (created.ARN === undefined) throw new Error('The emulator gave the secret no ARN.')
  return created.ARN
}

type Settings = Readonly<Record<string, string>>

async function writeEnvironment(cloud: Cloud, secretArn: string, settings: Settings): Promise<string> {
  const environment = {
    name: 'local',
    account: LOCAL_ACCOUNT,
    region: LOCAL_REGION,
    clusterId: 'shop',
    onDelete: 'destroy',
    database: {
      host: cloud.database.host,
      port: cloud.database.port,
      name: 'postgres',
      user: 'backstop_gateway',
      auth: { kind: 'secret', secretArn },
      tls: 'disable',
      agentRole: AGENT_ROLE,
    },
    settings,
    isEmulated: true,
  }
  await mkdir(STATE_FOLDER, { recursive: true })
  const file = join(STATE_FOLDER, `environment-${cloud.database.port}.json`)
  await writeFile(file, JSON.stringify(environment, null, 2))
  return file
}

async function readOutputs(file: string): Promise<Readonly<Record<string, string>>> {
  const byStack = JSON.parse(await readFile(file, 'utf8')) as Readonly<Record<string, Readonly<Record<string, string>>>>
  return Object.assign({}, ...Object.values(byStack))
}

/** By the beginning of its name. Throws when there is not exactly one. */
export function outputOf(outputs: Readonly<Record<string, string>>, name: string): string {
  const found = Object.entries(outputs).filter(([key]) => key.startsWith(name))
  const [only] = found
  if (only === undefined || found.length > 1) throw new Error(`The stacks have ${found.length} outputs named ${name}.`)
  return only[1]
}

/** `https://<id>.execute-api…/` does not resolve here; the emulator serves the same API under its own address. */
function dataPlaneUrl(cloud: Cloud, apiUrl: string): string {
  const id = /^https?:\/\/([a-z0-9]+)\.execute-api/.exec(apiUrl)?.[1]
  if (id === undefined) throw new Error(`The output ApiUrl is no address of an API: ${apiUrl}`)
  return `${cloud.endpoint}/_aws/execute-api/${id}/$default/`
}

/** `report` hears of each step; `settings` are tuning of the environment. Throws with the CDK's own words when it fails. */
export async function deploy(cloud: Cloud, report: (line: string) => void, settings: Settings = {}): Promise<Deployed> {
  report('1/4 the shop and the roles …')
  const login = await seedDatabase(cloud.database.url)
  const environment = await writeEnvironment(cloud, await createDatabaseSecret(cloud, login), settings)
  const work = join(STATE_FOLDER, `deploy-${cloud.database.port}`)
  const outputsFile = join(work, 'outputs.json')
  await mkdir(work, { recursive: true })
  const shared = ['--context', `config=${environment}`, '--output', join(work, 'cdk.out')]
  report('2/4 bundles, cdk bootstrap …')
  await buildFunctions()
  await runCdk(cloud.endpoint, ['bootstrap', `aws://${LOCAL_ACCOUNT}/${LOCAL_REGION}`, ...shared])
  report('3/4 cdk deploy …')
  await runCdk(cloud.endpoint, [
    'deploy',
    '**',
    '--require-approval=never',
    '--concurrency=4',
    `--outputs-file=${outputsFile}`,
    ...shared,
  ])
  report('4/4 tokens, and what the emulator drops …')
  const shop = makeShopTokens()
  const outputs = await readOutputs(outputsFile)
  await finishDeployment({
    endpoint: cloud.endpoint,
    assembly: join(work, 'cdk.out'),
    tokensSecretId: outputOf(outputs, 'TokensSecret'),
    tokenFile: shop.fileText,
  })
  return { apiUrl: dataPlaneUrl(cloud, outputOf(outputs, 'ApiUrl')), outputs, tokens: shop.tokens }
}
