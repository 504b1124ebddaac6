/** Secrets from environment variables, from the files that variables name, and from a folder of files. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BackstopError } from '#lib/kernel/index.ts'
import { memberOfSecret, parseSecretName, type SecretName, type Secrets } from '#lib/ports/index.ts'

export interface FileSecretsOptions {
  /** `NAME` holds the value, or `NAME_FILE` the path of a file that does. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Looked at last: a file of the secret's name, as container platforms mount them. */
  readonly folder?: string
}

export function createFileSecrets({ environment, folder }: FileSecretsOptions): Secrets {
  const readText = async (name: string): Promise<string | undefined> => {
    assertName(name)
    const direct = environment[name]
    if (direct !== undefined && direct !== '') return direct
    const path = environment[`${name}_FILE`]
    if (path !== undefined && path !== '') return await readSecretFile(path, name, 'needed')
    return folder === undefined ? undefined : await readSecretFile(join(folder, name), name, 'optional')
  }
  const find = async (name: SecretName): Promise<string | undefined> => {
    const text = await readText(name.secret)
    return text === undefined ? undefined : memberOfSecret(text, name)
  }
  return {
    find: (name) => find(parseSecretName(name)),
    async get(name) {
      const parsed = parseSecretName(name)
      const value = await find(parsed)
      if (value === undefined) throw missing(parsed.secret, `set ${parsed.secret} or ${parsed.secret}_FILE`)
      return value
    },
  }
}

/** A name is never a path. */
function assertName(name: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name))
    throw missing('(malformed name)', 'use letters, digits, "_", "-" and "."')
}

/** Editors end a file with a line end; a secret does not. */
async function readSecretFile(path: string, name: string, need: 'needed' | 'optional'): Promise<string | undefined> {
  try {
    const value = (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
    if (value !== '') return value
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? 'unknown failure'
    if (need === 'optional' && (errno === 'ENOENT' || errno === 'ENOTDIR')) return undefined
    throw missing(name, `the file ${path} cannot be read: ${errno}`)
  }
  throw missing(name, `the file ${path} is empty`)
}

function missing(name: string, reason: string): BackstopError {
  return new BackstopError('SECRET_MISSING', `the secret ${name} is missing: ${reason}`, { details: { name } })
}
