/** The command line as one function: words in, text out, exit code back. */
import { CommanderError } from 'commander'
import { COMMANDS, GROUPS } from './commands.ts'
import type { CliIo, Invocation, OutputChoice } from './frame/index.ts'
import {
  buildProgram,
  describeFailure,
  EXIT_INTERRUPTED,
  EXIT_USAGE,
  encodeFailure,
  loadCommands,
  openContext,
  readVersion,
  renderFailure,
  showResult,
  surfaceOf,
} from './frame/index.ts'
import { Cancelled } from './terminal/index.ts'
import { wantedBy } from './wanted.ts'

const EXAMPLES = [
  { does: 'See what it does, on a database of its own', line: 'backstop demo' },
  {
    does: 'Run the gateway in front of a database',
    line: 'BACKSTOP_DB_URL=postgresql://… BACKSTOP_TOKENS=tokens.json backstop up',
  },
  {
    does: 'Bring a lost table back',
    line: 'backstop recover --db postgresql://… --storage file:///backups --table payments',
  },
]

/** The words without the program: `--json` counts wherever it stands before `--`. */
function guessOutput(words: readonly string[]): OutputChoice {
  const end = words.indexOf('--')
  const flags = end === -1 ? words : words.slice(0, end)
  return { isJson: flags.includes('--json'), isColourAllowed: !flags.includes('--no-color') }
}

/** Undefined when help or the version was asked for and printed. */
async function parse(words: readonly string[], io: CliIo): Promise<Invocation | undefined> {
  let invocation: Invocation | undefined
  const program = buildProgram({
    commands: await loadCommands(COMMANDS, wantedBy(words)),
    groups: GROUPS,
    version: readVersion(),
    examples: EXAMPLES,
    onHelp: (text) => io.stdout.write(text),
    onInvoke: (found) => {
      invocation = found
    },
  })
  try {
    program.parse([...words], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined
    if (error instanceof CommanderError && error.code === 'commander.help') {
      throw new CommanderError(EXIT_USAGE, 'backstop.commandMissing', `error: ${describeMissing(words)}`)
    }
    throw error
  }
  return invocation
}

function describeMissing(words: readonly string[]): string {
  const group = words.find((word) => Object.hasOwn(GROUPS, word))
  if (group === undefined) return 'a command is missing'
  const known = COMMANDS.filter((command) => command.path[0] === group).map((command) => command.path.at(-1))
  return `${group} needs ${known.length === 1 ? 'the word' : 'one of the words'} ${known.join(', ')}`
}

async function invoke(invocation: Invocation, io: CliIo): Promise<number> {
  const context = openContext(io, invocation)
  try {
    const result = await invocation.command.run(invocation.args, invocation.flags, context)
    context.progress.clear()
    if (result === undefined) return 0
    await showResult(result, io, invocation)
    return result.exitCode ?? (result.ok ? 0 : 1)
  } finally {
    context.progress.clear()
  }
}

/**
 * Run one command.
 *
 * Shapes:  `words` are the arguments after the program's name
 * Effects: writes to the given streams alone; never ends the process
 * Returns: 0 ok, 1 failed, 2 usage, 130 interrupted
 */
export async function runCli(words: readonly string[], io: CliIo): Promise<number> {
  const choice = guessOutput(words)
  try {
    const invocation = await parse(words, io)
    return invocation === undefined ? 0 : await invoke(invocation, io)
  } catch (error) {
    if (error instanceof Cancelled || (io.signal.aborted && isAbort(error))) return EXIT_INTERRUPTED
    const failure = describeFailure(error)
    if (choice.isJson) io.stdout.write(`${JSON.stringify(encodeFailure(failure), null, 2)}\n`)
    else io.stderr.write(renderFailure(failure, surfaceOf(io.stderr, io, choice)))
    return failure.exitCode
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
