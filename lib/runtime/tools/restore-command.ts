/** The line of restore_command that calls this very program. Pure. */
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../../bin/backstop.ts', import.meta.url))

/** One word of a shell; `%` is doubled because PostgreSQL replaces `%f` and `%p` everywhere. */
export function settingWord(text: string): string {
  const isPlain = /^[\w@+=:,./-]+$/.test(text)
  return isPlain ? text : `'${text.replaceAll("'", "'\\''").replaceAll('%', '%%')}'`
}

export function restoreCommandLine(storageUrl: string, clusterId: string, calledAs?: string): string {
  const program = calledAs ?? [process.execPath, PROGRAM].map(settingWord).join(' ')
  const words = ['--storage', storageUrl, '--cluster-id', clusterId].map(settingWord)
  return `${program} wal fetch ${words.join(' ')} --wal-name %f --output "%p"`
}
