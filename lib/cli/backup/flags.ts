/** Flags that commands about whole databases and servers share. */
import type { CommandContext, Flag } from '../frame/index.ts'
import { text } from '../frame/index.ts'

export const programFlag = (tool: 'pg_dump' | 'pg_restore' | 'pg_basebackup') =>
  text(`--${tool.replace('_', '-')}-bin <path>`, `this ${tool} (else the one on the path, else the newest installed)`)

/** `a, "b,c"` → `a`, `"b,c"`: commas inside double quotes belong to a pattern. */
export function patterns(term: string, summary: string): Flag<readonly string[]> {
  return {
    term,
    summary,
    isRequired: false,
    read: (given) =>
      typeof given === 'string'
        ? (given.match(/(?:"[^"]*"|[^",])+/g) ?? []).map((part) => part.trim()).filter((part) => part !== '')
        : [],
  }
}

/** Shows how far it is, and ends the work between two pieces when the command is interrupted. */
export function showBytes({ progress, signal }: CommandContext, label: string) {
  return (done: number, total: number) => {
    signal.throwIfAborted()
    progress.update({ label, done, total, unit: 'bytes' })
  }
}
