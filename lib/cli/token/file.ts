/** Adds an entry to a token file: checked as the gateway would check it, replaced as a whole, readable by its owner alone. */
import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemClock } from '#lib/adapters/system/index.ts'
import { createTokenRegistry } from '#lib/api/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { TokenFileEntry } from './entry.ts'

/** The text with one more entry. Throws TOKENS_INVALID when it or the result is no good token file. */
export function addEntry(existing: string | undefined, entry: TokenFileEntry): string {
  const entries = existing === undefined || existing.trim() === '' ? [] : readArray(existing)
  const text = `${JSON.stringify([...entries, entry], null, 2)}\n`
  createTokenRegistry({ text, isDevMode: false, clock: systemClock })
  return text
}

function readArray(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return value
  } catch {
    // The reader is told below; the parser's message would quote the file.
  }
  throw new BackstopError('TOKENS_INVALID', 'the token file does not hold a JSON array; it is left as it is')
}

async function readExisting(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new BackstopError('TOKENS_INVALID', `the token file ${path} cannot be read`, { cause: error })
  }
}

/** Throws TOKENS_INVALID; the file then is as it was. */
export async function appendToTokenFile(path: string, entry: TokenFileEntry): Promise<void> {
  const text = addEntry(await readExisting(path), entry)
  const draft = join(dirname(path), `.${randomBytes(8).toString('hex')}.tokens.tmp`)
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw new BackstopError('TOKENS_INVALID', `the token file ${path} cannot be written`, { cause: error })
  }
}
