/** What a command that did not work out says, and with which exit code it ends. */
import { CommanderError } from 'commander'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { harmless, paint, type Surface } from '../terminal/index.ts'

export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly exitCode: number
}

export const EXIT_USAGE = 2
export const EXIT_INTERRUPTED = 130

/** `error: unknown option '--tabel'\n(Did you mean --table?)` */
function fromParser(error: CommanderError): Failure {
  const [first = '', ...rest] = error.message.split('\n')
  const suggestion = /Did you mean (.+)\?\)$/.exec(rest.join(' '))?.[1]
  const hint =
    suggestion === undefined ? 'See "backstop --help" for the commands and their flags.' : `Did you mean ${suggestion}?`
  return { code: 'USAGE_INVALID', message: first.replace(/^error: /, ''), hint, exitCode: EXIT_USAGE }
}

/** Any error as a failure that can be shown. A defect keeps its text: the reader is the operator. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof CommanderError) return fromParser(error)
  if (isBackstopError(error)) {
    const { code, message, hint, exitCode } = error
    return { code, message, hint, exitCode }
  }
  if (error instanceof StatementError) {
    const known = new BackstopError('EXECUTION_FAILED', `the database refused: ${error.failure.message}`)
    const hint = error.failure.hint ?? `SQLSTATE ${error.failure.sqlState}; nothing was changed.`
    return { code: known.code, message: known.message, hint, exitCode: 1 }
  }
  const { code, hint } = new BackstopError('BUG', '')
  return { code, message: error instanceof Error ? error.message : String(error), hint, exitCode: 1 }
}

export function renderFailure(failure: Failure, surface: Surface): string {
  const message = harmless(failure.message)
  return `${paint('Error:', 'bad', surface)} ${message}\n${paint('Hint:', 'muted', surface)}  ${harmless(failure.hint)}\n`
}

/** The same for programs. */
export function encodeFailure({ code, message, hint }: Failure): object {
  return { ok: false, error: { code, message, hint } }
}
