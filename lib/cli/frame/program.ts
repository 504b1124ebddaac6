/** Builds the parser of the whole command line from the table of commands. */
import { Option, Command as Parser } from 'commander'
import type { Command, GivenFlags } from './define.ts'
import type { Flag } from './flag.ts'

/** What was typed, once it is understood. */
export interface Invocation {
  readonly command: Command
  readonly args: readonly (string | undefined)[]
  readonly flags: GivenFlags
  readonly isJson: boolean
  readonly isColourAllowed: boolean
}

export interface ProgramOptions {
  readonly commands: readonly Command[]
  /** What a word that holds several commands is for. */
  readonly groups: Readonly<Record<string, string>>
  readonly version: string
  readonly examples: Command['examples']
  readonly onHelp: (text: string) => void
  readonly onInvoke: (invocation: Invocation) => void
}

function examplesText(examples: Command['examples']): string {
  const lines = examples.map(({ line, does }) => `  ${does}\n    $ ${line}`)
  return `\nExamples:\n${lines.join('\n')}\n`
}

function asOption(flag: Flag<unknown>): Option {
  const option = new Option(flag.term, flag.summary)
  if (flag.choices !== undefined) option.choices([...flag.choices])
  if (flag.defaultText !== undefined) option.description = `${flag.summary} (default: ${flag.defaultText})`
  if (flag.isRepeatable === true) {
    option.argParser<string>((value, before) => (before === undefined ? value : `${before}\0${value}`))
  }
  return option.makeOptionMandatory(flag.isRequired)
}

/** Commander names an option after its long form in camel case; so does the table of commands. */
function collectFlags(command: Command, values: Readonly<Record<string, unknown>>): GivenFlags {
  return Object.fromEntries(
    Object.entries(command.flags).map(([name, flag]) => {
      const value = values[asOption(flag).attributeName()]
      return [name, value === true || typeof value === 'string' ? value : undefined]
    }),
  )
}

class ProgramBuilder {
  readonly #options: ProgramOptions
  readonly #root: Parser
  readonly #groups = new Map<string, Parser>()

  constructor(options: ProgramOptions) {
    this.#options = options
    this.#root = this.#prepare(new Parser('backstop'))
  }

  build(): Parser {
    this.#root
      .description('The safety net between AI agents and PostgreSQL.')
      .version(this.#options.version, '-v, --version', 'print the version')
      .option('--json', 'print one JSON document instead of text')
      .option('--no-color', 'print without colours (so does NO_COLOR)')
      .addHelpText('after', examplesText(this.#options.examples))
    for (const command of this.#options.commands) this.#add(command)
    return this.#root
  }

  #prepare(parser: Parser): Parser {
    return parser
      .exitOverride()
      .helpOption('-h, --help', 'print this help')
      .helpCommand(false)
      .configureHelp({ showGlobalOptions: true })
      .configureOutput({ writeOut: this.#options.onHelp, writeErr: () => {} })
  }

  #parentOf(command: Command): Parser {
    const [group] = command.path
    if (command.path.length === 1) return this.#root
    const known = this.#groups.get(group)
    if (known !== undefined) return known
    const parser = this.#prepare(this.#root.command(group)).description(this.#options.groups[group] ?? '')
    this.#groups.set(group, parser)
    return parser
  }

  #add(command: Command): void {
    const parser = this.#prepare(this.#parentOf(command).command(command.path.at(-1) ?? ''))
    parser.summary(command.summary)
    parser.description(
      command.details === undefined ? `${command.summary}.` : `${command.summary}.\n\n${command.details}`,
    )
    for (const { name, summary, isRequired } of command.args) {
      parser.argument(isRequired ? `<${name}>` : `[${name}]`, summary)
    }
    for (const flag of Object.values(command.flags)) parser.addOption(asOption(flag))
    if (command.examples.length > 0) parser.addHelpText('after', examplesText(command.examples))
    parser.action(() => {
      const all = parser.optsWithGlobals() as Record<string, unknown>
      this.#options.onInvoke({
        command,
        args: parser.processedArgs as (string | undefined)[],
        flags: collectFlags(command, all),
        isJson: all['json'] === true,
        isColourAllowed: all['color'] !== false,
      })
    })
  }
}

export function buildProgram(options: ProgramOptions): Parser {
  return new ProgramBuilder(options).build()
}
