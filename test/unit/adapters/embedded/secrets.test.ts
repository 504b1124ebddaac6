import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFileSecrets } from '#lib/adapters/embedded/index.ts'

describe('secrets from environment and files', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-secrets-'))
    await writeFile(join(folder, 'MOUNTED'), 'from folder\n')
    await writeFile(join(folder, 'named'), ' two\nlines \n')
    await writeFile(join(folder, 'EMPTY'), '\n')
  })
  afterAll(() => rm(folder, { recursive: true }))

  const open = (environment: Record<string, string> = {}) => createFileSecrets({ environment, folder })

  it('prefers the variable, then the file it names, then the folder', async () => {
    const secrets = open({ A: 'direct', A_FILE: '/none', B_FILE: join(folder, 'named') })
    expect(await secrets.get('A')).toBe('direct')
    expect(await secrets.get('B')).toBe(' two\nlines ')
    expect(await secrets.get('MOUNTED')).toBe('from folder')
  })

  it('finds nothing where there is nothing, and says so when it is needed', async () => {
    expect(await open({ A: '' }).find('A')).toBeUndefined()
    await expect(open().get('A')).rejects.toMatchObject({ code: 'SECRET_MISSING' })
  })

  it('does not pass over a file that was named and cannot be read, or is empty', async () => {
    await expect(open({ A_FILE: join(folder, 'none') }).find('A')).rejects.toMatchObject({ code: 'SECRET_MISSING' })
    await expect(open().find('EMPTY')).rejects.toMatchObject({ code: 'SECRET_MISSING' })
  })

  it.each(['', '..', '../etc/passwd', 'a/b', 'a\u0000', '.hidden'])('takes no path for a name: %j', async (name) => {
    await expect(open().find(name)).rejects.toMatchObject({ code: 'SECRET_MISSING' })
  })
})
