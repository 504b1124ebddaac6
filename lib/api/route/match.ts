/** Find the route of a request by exact path; nothing is normalised. */
import type { Route } from './model.ts'

export type RouteMatch =
  | { readonly kind: 'found'; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'no-path' }
  | { readonly kind: 'no-method'; readonly allowed: readonly string[] }

const NO_PARAMS: Readonly<Record<string, string>> = {}

interface Pattern {
  readonly segments: readonly string[]
  readonly routes: readonly Route[]
}

/** A parameter's name, or undefined for a literal segment. */
function parameterOf(segment: string): string | undefined {
  return /^\{(\w+)\}$/.exec(segment)?.[1]
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

function bind(pattern: Pattern, segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.segments.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, expected] of pattern.segments.entries()) {
    const segment = segments[index] ?? ''
    const name = parameterOf(expected)
    if (name === undefined) {
      if (segment !== expected) return undefined
      continue
    }
    const value = segment === '' ? undefined : decodeSegment(segment)
    if (value === undefined) return undefined
    params[name] = value
  }
  return params
}

function choose(routes: readonly Route[], method: string, params: Readonly<Record<string, string>>): RouteMatch {
  const route = routes.find((candidate) => candidate.method === method)
  if (route !== undefined) return { kind: 'found', route, params }
  return { kind: 'no-method', allowed: routes.map((candidate) => candidate.method) }
}

/**
 * Build the matcher once; literal paths take one look-up.
 *
 * Invariants: `//`, `.`, a trailing slash and an encoded letter in a literal segment match nothing; a parameter is
 * decoded once and never spans two segments
 */
export function createMatcher(routes: readonly Route[]): (method: string, path: string) => RouteMatch {
  const byPath = Map.groupBy(routes, (route) => route.path as string)
  const literals = new Map([...byPath].filter(([path]) => !path.includes('{')))
  const patterns: Pattern[] = [...byPath]
    .filter(([path]) => path.includes('{'))
    .map(([path, sharing]) => ({ segments: path.split('/'), routes: sharing }))
  return (method, path) => {
    const literal = literals.get(path)
    if (literal !== undefined) return choose(literal, method, NO_PARAMS)
    const segments = path.split('/')
    for (const pattern of patterns) {
      const params = bind(pattern, segments)
      if (params !== undefined) return choose(pattern.routes, method, params)
    }
    return { kind: 'no-path' }
  }
}
