/** The real command as a server would call it: one line for a shell. */
import { fileURLToPath } from 'node:url'

export const shellQuote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

const PROGRAM = fileURLToPath(new URL('../../../bin/backstop.ts', import.meta.url))

/** Of a line for archive_command, where `%` is special. */
const settingQuote = (text: string) => shellQuote(text).replaceAll('%', '%%')

export function archiveCommand(storageUrl: string, clusterId: string): string {
  const words = [process.execPath, PROGRAM, 'wal', 'archive', '--storage', storageUrl, '--cluster-id', clusterId]
  return `${words.map(settingQuote).join(' ')} --wal-file "%p" --wal-name %f`
}
