/** What a command is: its name, its words and flags, how to use it, and what it does. */
import type { Flags, FlagValues } from './flag.ts'
import type { CommandContext, CommandResult } from './model.ts'

export interface Argument {
  /** `sql` for `<sql>`. */
  readonly name: string
  readonly summary: string
  readonly isRequired: boolean
}

export interface Example {
  readonly line: string
  readonly does: string
}

export interface CommandInput<F extends Flags> {
  readonly args: readonly (string | undefined)[]
  readonly flags: FlagValues<F>
}

/** A command of the table, whatever its flags are. */
export interface Command {
  /** Words of the command: `snapshots list`. */
  readonly path: readonly [string, ...string[]]
  readonly summary: string
  /** A paragraph under the usage line; absent where the summary says all. */
  readonly details?: string
  readonly args: readonly Argument[]
  readonly flags: Flags
  /** What the document of --json holds beside `ok`. */
  readonly json: string
  readonly examples: readonly Example[]
  run(
    args: readonly (string | undefined)[],
    given: GivenFlags,
    context: CommandContext,
  ): Promise<CommandResult | undefined>
}

/** As the parser read them, by flag name. */
export type GivenFlags = Readonly<Record<string, string | true | undefined>>

interface CommandDefinition<F extends Flags> {
  readonly path: string
  readonly summary: string
  readonly details?: string
  readonly args?: readonly Argument[]
  readonly flags: F
  readonly json: string
  readonly examples: readonly Example[]
  /** Undefined: everything was shown already. */
  run(input: CommandInput<F>, context: CommandContext): Promise<CommandResult | undefined>
}

export function defineCommand<const F extends Flags>(definition: CommandDefinition<F>): Command {
  const { path, run, args = [], ...rest } = definition
  return {
    ...rest,
    args,
    path: path.split(' ') as [string, ...string[]],
    run: (values, given, context) => {
      const entries = Object.entries(definition.flags).map(([name, flag]) => [name, flag.read(given[name])])
      return run({ args: values, flags: Object.fromEntries(entries) as FlagValues<F> }, context)
    },
  }
}
