/** The CDK app: one environment, from `-c environment=dev` (a file of config/) or `-c config=path/to/file.json`. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { App } from 'aws-cdk-lib'
import {
  BackstopStage,
  EnvironmentInvalid,
  FUNCTIONS,
  folderOf,
  parseEnvironment,
  reviewStage,
} from '#lib/stacks/index.ts'

const root = dirname(import.meta.dirname)

/** Where the config lies; refuses when neither is said. */
function locate(app: App): string {
  const file = app.node.tryGetContext('config')
  if (file !== undefined) return resolve(root, String(file))
  const name = app.node.tryGetContext('environment')
  if (name === undefined)
    throw new EnvironmentInvalid('Which environment? Say -c environment=dev, or -c config=<file>.')
  return join(root, 'config', `${name}.ts`)
}

async function load(path: string): Promise<unknown> {
  if (!existsSync(path))
    throw new EnvironmentInvalid(`There is no ${path}. Write it after the example of config/dev.ts.`)
  if (path.endsWith('.json')) {
    const text = await readFile(path, 'utf8')
    try {
      return JSON.parse(text)
    } catch {
      throw new EnvironmentInvalid(`${path} is no JSON. Correct it, or write it as TypeScript after config/dev.ts.`)
    }
  }
  const module: { environment?: unknown } = await import(pathToFileURL(path).href)
  return module.environment
}

async function readPolicy(path: string | undefined) {
  if (path === undefined) return undefined
  const text = await readFile(resolve(root, path), 'utf8').catch(() => {
    throw new EnvironmentInvalid(`policyFile: ${path} cannot be read. Correct the path or leave the field out.`)
  })
  try {
    JSON.parse(text)
  } catch {
    throw new EnvironmentInvalid(`policyFile: ${path} is no JSON. Check it with "backstop policy check ${path}".`)
  }
  return { text }
}

/**
 * The folder of the bundles. `-c bundles=<folder>` takes those that lie there. Else they are built: always anew for a real
 * account, because a deployment of yesterday's code is worse than a slow one.
 */
async function bundle(given: unknown, isEmulated: boolean): Promise<string> {
  if (given !== undefined) return resolve(root, String(given))
  const folder = join(root, '.backstop', 'functions')
  const isThere = FUNCTIONS.every((row) => existsSync(join(folder, folderOf(row), 'index.mjs')))
  if (isThere && isEmulated) return folder
  const { buildFunctions, buildTasks } = await import('#functions/build.ts')
  await buildFunctions({ folder })
  await buildTasks(folder)
  return folder
}

/** Nothing is handed to CloudFormation that the AwsSolutions rules object to and nobody has given a reason for. */
function review(stage: BackstopStage): void {
  const open = reviewStage(stage).filter(({ reason }) => reason === undefined)
  if (open.length === 0) return
  const lines = open.map(({ rule, path, text }) => `  ${path}: ${rule}: ${text}`)
  throw new EnvironmentInvalid(
    `cdk-nag objects.\n${lines.join('\n')}\nMend it, or give the reason in lib/stacks/review/reasons.ts.`,
  )
}

const app = new App()
try {
  const path = locate(app)
  const environment = parseEnvironment(await load(path), path)
  const policy = await readPolicy(environment.policyFile)
  const bundles = await bundle(app.node.tryGetContext('bundles'), environment.isEmulated)
  const stage = new BackstopStage(app, { environment, bundles, policy })
  app.synth()
  if (!environment.isEmulated) review(stage)
} catch (error) {
  if (!(error instanceof EnvironmentInvalid)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
