/** What a token may do. */
export const SCOPES = [
  'query:execute',
  'query:analyze',
  'approval:read',
  'approval:write',
  'metadata:read',
  'metrics:read',
  'restore:prepare',
  'undo:execute',
  'admin:*',
] as const

export type Scope = (typeof SCOPES)[number]

const AREAS = new Set(SCOPES.map((scope) => scope.slice(0, scope.indexOf(':'))))

/** A scope of the list, or `<area>:*` for an area of the list. */
export function isKnownScope(text: string): boolean {
  if ((SCOPES as readonly string[]).includes(text)) return true
  return text.endsWith(':*') && AREAS.has(text.slice(0, -2))
}

/**
 * Whether the held scopes cover the required one: by name, by `<area>:*`, or by `admin:*`, which covers everything.
 *
 * Invariants: whole names only; `approval:write2` and `approval` never cover `approval:write`
 */
export function coversScope(held: readonly string[], required: Scope): boolean {
  const wildcard = `${required.slice(0, required.indexOf(':'))}:*`
  return held.some((scope) => scope === required || scope === wildcard || scope === 'admin:*')
}
