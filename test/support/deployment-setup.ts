/** The product, deployed by the CDK to a local cloud with a database of its own; one for all end-to-end tests of a run. */
import type { TestProject } from 'vitest/node'
import { type Deployed, deploy } from '../../localstack/deploy.ts'
import { type LocalCloud, startLocalCloud } from '../../localstack/local-cloud.ts'

declare module 'vitest' {
  interface ProvidedContext {
    deployed: Deployed
    deployedOn: Omit<LocalCloud, 'stop'>
  }
}

const ANY_PORT = 0

export default async function setup(project: TestProject) {
  const { stop, ...cloud } = await startLocalCloud(ANY_PORT)
  try {
    const deployed = await deploy(cloud, (line) => process.stderr.write(`${cloud.kind}: ${line}\n`))
    project.provide('deployed', deployed)
    project.provide('deployedOn', cloud)
    return stop
  } catch (error) {
    await stop()
    throw error
  }
}
