/** One embedded cluster for a whole test run; every test file makes databases of its own in it. */
import type { TestProject } from 'vitest/node'
import { startCluster } from '#lib/adapters/embedded/postgres-cluster/index.ts'

declare module 'vitest' {
  interface ProvidedContext {
    clusterUrl: string
  }
}

let running: Promise<{ url: string; stop: () => Promise<void>; users: number }> | undefined

/** No vacuum by the clock: it changes statistics, holds back others' vacuum, and ends transactions in the middle of a test. */
const SETTINGS = { max_connections: '200', autovacuum: 'off' }

async function start() {
  const cluster = await startCluster({ settings: SETTINGS })
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
