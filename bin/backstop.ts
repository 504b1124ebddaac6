/** The `backstop` command: hands words, streams and signals to the command line, and its answer to the process. */
import { enableCompileCache } from 'node:module'
import { join, resolve } from 'node:path'
import process from 'node:process'

// Beside the code that it is made of, and never in a folder for everyone: whoever can write there can run code here.
// Where nothing can be written, the modules are compiled each time.
enableCompileCache(join(resolve(import.meta.dirname, '..'), 'node_modules', '.cache', 'backstop'))
// Only what is loaded after the cache is open comes from it.
const { runCli } = await import('#lib/cli/index.ts')

const EXIT_INTERRUPTED = 130
const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted && signal === 'SIGINT') process.exit(EXIT_INTERRUPTED)
    interruption.abort()
  })
}
// A reader that closed the pipe, such as `head`, has seen enough: end as after Ctrl-C, so that nothing is left behind.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    interruption.abort()
  })
}
process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  isInputTty: process.stdin.isTTY === true,
  environment: process.env,
  signal: interruption.signal,
})
