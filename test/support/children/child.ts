/** A script of ours as a process of its own, whose lines of output are read as they come. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Child {
  /** Everything that was printed, one line each. */
  readonly lines: readonly string[]
  kill(): Promise<void>
  /** Resolves with the exit code; null after a signal. */
  readonly ended: Promise<number | null>
}

export function startChild(script: URL, args: readonly string[], options: { fileLimitKb?: number } = {}): Child {
  const command = [process.execPath, script.pathname, ...args]
  // `ulimit -f` counts blocks of 512 or 1,024 bytes, by the shell.
  const shell = `ulimit -f ${options.fileLimitKb ?? 'unlimited'}; exec "$@"`
  const child = spawn('/bin/sh', ['-c', shell, 'sh', ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    lines,
    ended,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
