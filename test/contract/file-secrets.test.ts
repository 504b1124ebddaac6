import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFileSecrets } from '#lib/adapters/embedded/index.ts'
import { secretsContract } from './secrets.ts'

secretsContract('a folder of files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-secrets-'))
  return {
    secrets: createFileSecrets({ environment: {}, folder }),
    set: (name, value) => writeFile(join(folder, name), value),
    remove: (name) => rm(join(folder, name)),
    settle: () => {},
    close: () => rm(folder, { recursive: true }),
  }
})

secretsContract('variables', async () => {
  const environment: Record<string, string | undefined> = {}
  return {
    secrets: createFileSecrets({ environment }),
    set: async (name, value) => {
      environment[name] = value
    },
    remove: async (name) => {
      environment[name] = undefined
    },
    settle: () => {},
    close: async () => {},
  }
})
