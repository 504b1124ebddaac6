/** Streams that keep what is written to them, for the command line in this process. */
import { runCli } from '#lib/cli/index.ts'

export interface FakeRun {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

function fakeStream(isTTY: boolean) {
  let text = ''
  return {
    isTTY,
    columns: 120,
    write: (chunk: string) => {
      text += chunk
      return true
    },
    once: () => {},
    text: () => text,
  }
}

export async function runInProcess(
  words: readonly string[],
  options: { readonly environment?: Readonly<Record<string, string>>; readonly isTerminal?: boolean } = {},
): Promise<FakeRun> {
  const stdout = fakeStream(options.isTerminal === true)
  const stderr = fakeStream(options.isTerminal === true)
  const exitCode = await runCli(words, {
    stdout,
    stderr,
    isInputTty: false,
    environment: options.environment ?? {},
    signal: new AbortController().signal,
  })
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() }
}
