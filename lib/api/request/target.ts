/** Split a request target into its path and its query parameters. */
import { BackstopError } from '#lib/kernel/index.ts'

export type QueryParameters = Readonly<Record<string, string>>

const NO_PARAMETERS: QueryParameters = {}

export function pathOf(target: string): string {
  const start = target.indexOf('?')
  return start === -1 ? target : target.slice(0, start)
}

/** Throws `REQUEST_INVALID` when a name comes twice. */
export function queryOf(target: string): QueryParameters {
  const start = target.indexOf('?')
  if (start === -1) return NO_PARAMETERS
  const parameters: Record<string, string> = Object.create(null)
  for (const [name, value] of new URLSearchParams(target.slice(start + 1))) {
    if (name in parameters) throw new BackstopError('REQUEST_INVALID', 'a query parameter is given twice')
    parameters[name] = value
  }
  return { ...parameters }
}
