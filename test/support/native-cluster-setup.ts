/** One server of the installed PostgreSQL for a whole run, and where its programs are. */
import type { TestProject } from 'vitest/node'
import { startCluster } from '#lib/adapters/embedded/postgres-cluster/index.ts'
import { installedBinFolder } from './native/installed.ts'

declare module 'vitest' {
  interface ProvidedContext {
    nativeUrl: string
    nativeBin: string
  }
}

export default async function setup(project: TestProject) {
  const binFolder = installedBinFolder()
  const cluster = await startCluster({ binFolder })
  project.provide('nativeUrl', cluster.urlFor('postgres'))
  project.provide('nativeBin', binFolder)
  return () => cluster.stop()
}
