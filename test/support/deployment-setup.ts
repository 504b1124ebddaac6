/** The product, deployed by the CDK to a local cloud with a database of its own; one for all end-to-end tests of a run. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { deploy } from '../../localstack/deploy.ts'
import { type LocalCloud, startLocalCloud } from '../../localstack/local-cloud.ts'
import type { Deployed } from '../../localstack/state.ts'
import { recordCalls } from './cloud/permission/record-calls.ts'

declare module 'vitest' {
  interface ProvidedContext {
    deployed: Deployed
    deployedOn: Omit<LocalCloud, 'stop'>
    /** What the functions asked of their cloud in this run, one call a line. */
    recordedCalls: { readonly file: string; readonly functionNames: readonly string[] }
  }
}

const ANY_PORT = 0
/** So that a table of some hundred megabytes is a large one. */
const SETTINGS = { BACKSTOP_FANOUT_MEGABYTES: '64' }

export default async function setup(project: TestProject) {
  const { stop, ...cloud } = await startLocalCloud(ANY_PORT)
  try {
    const report = (line: string) => process.stderr.write(`${cloud.kind}: ${line}\n`)
    const deployed = await deploy(cloud, report, SETTINGS)
    project.provide('deployed', deployed)
    project.provide('deployedOn', cloud)
    const folder = mkdtempSync(join(tmpdir(), 'backstop-calls-'))
    const file = join(folder, 'calls.jsonl')
    const recorder = await recordCalls(cloud.endpoint, file)
    project.provide('recordedCalls', { file, functionNames: recorder.functionNames })
    return async () => {
      await stop()
      await recorder.close()
      rmSync(folder, { recursive: true, force: true })
    }
  } catch (error) {
    await stop()
    throw error
  }
}
