/** One embedded cluster for a whole test run; every test file makes databases of its own in it. */
import type { TestProject } from 'vitest/node'
import { startCluster } from '#lib/adapters/embedded/postgres-cluster/index.ts'

declare module 'vitest' {
  interface ProvidedContext {
    clusterUrl: string
  }
}

let running: Promise<{ url: string; stop: () => Promise<void>; users: number }> | undefined

async function start() {
  const cluster = await startCluster({ settings: { max_connections: '200' } })
  return { url: cluster.urlFor('postgres'), stop: cluster.stop, users: 0 }
}

export default async function setup(project: TestProject) {
  running ??= start()
  const cluster = await running
  cluster.users++
  project.provide('clusterUrl', cluster.url)
  return async () => {
    cluster.users--
    if (cluster.users === 0) await cluster.stop()
  }
}
