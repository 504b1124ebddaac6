/** One server of the installed PostgreSQL for the pages, whose programs make and restore the dumps. */
import type { TestProject } from 'vitest/node'
import { startCluster } from '#lib/adapters/embedded/postgres-cluster/index.ts'
import { installedBinFolder } from './native/installed.ts'

export default async function setup(project: TestProject) {
  const cluster = await startCluster({ binFolder: installedBinFolder(), settings: { max_connections: '200' } })
  project.provide('clusterUrl', cluster.urlFor('postgres'))
  return () => cluster.stop()
}
