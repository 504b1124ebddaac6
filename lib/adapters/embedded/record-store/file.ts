/** The file itself, before SQLite opens it. */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** SQLite would create it readable for everybody; its own files beside it take over these rights. */
export function createPrivateFile(path: string): void {
  createIfMissing(path)
  const folder = openSync(dirname(resolve(path)), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** A file that exists is not opened: closing it again would drop the locks that this process holds on it. */
function createIfMissing(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
