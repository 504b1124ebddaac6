/** What drills find on this machine: files, PostgreSQL's programs and servers, and the database that is guarded. */
import process from 'node:process'
import { createNativeTools, createPreparedServers, localFiles } from '#lib/adapters/native/index.ts'
import type { DrillGround } from '#lib/product/index.ts'
import { connectDatabase, restoreCommandLine } from './tools/index.ts'

const CONNECTIONS = 3

export function drillGround(storageUrl: string, databaseUrl: string): DrillGround {
  const environment = process.env
  return {
    files: localFiles,
    restoreCommand: (clusterId) => restoreCommandLine(storageUrl, clusterId),
    native: {
      tools: createNativeTools({ environment }),
      servers: createPreparedServers({ environment }),
      openDatabase: (url) => connectDatabase(url, CONNECTIONS),
      databaseUrl,
    },
  }
}
