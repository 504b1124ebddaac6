/** What a command is given, and what it hands back to be shown. */
import type { Asker, Block, CliStream, Progress } from '../terminal/index.ts'

/** The process around a command, handed in by `bin`. */
export interface CliIo {
  readonly stdout: CliStream
  readonly stderr: CliStream
  readonly isInputTty: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
}

/** The stable part (`data`, printed by --json) and the same for people. */
export interface CommandResult {
  /** false: the command did its work and the answer is bad news; exit code 1. */
  readonly ok: boolean
  /** For callers that want one of their own, such as PostgreSQL's restore_command; else 0 or 1. */
  readonly exitCode?: number
  readonly data: object
  readonly blocks: readonly Block[]
}

export interface CommandContext {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly isJson: boolean
  readonly isColoured: boolean
  readonly progress: Progress
  /** Absent where no person can answer: a pipe, --json. */
  readonly ask?: Asker
  /** Show something before the end: what `up` prints, a step of the demo. With --json one line of JSON. */
  show(data: object, blocks: readonly Block[]): Promise<void>
  /** Raw text for standard output, such as an export; waits while the reader is slow. */
  write(text: string): Promise<void>
  /** A line for people on standard error. */
  note(text: string): void
}
