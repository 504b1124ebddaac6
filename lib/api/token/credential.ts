/** Find the one token that a request presents. */

export type Credential =
  | { readonly kind: 'absent' }
  | { readonly kind: 'token'; readonly token: string }
  /** `message` is for the caller and never quotes the header. */
  | { readonly kind: 'malformed'; readonly message: string }

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i
const SCHEME = /^([A-Za-z][A-Za-z0-9-]{0,15})(?: |$)/
const KNOWN_SCHEMES = new Set(['basic', 'token', 'digest', 'apikey'])

function explainHeader(value: string): string {
  const scheme = SCHEME.exec(value)?.[1]
  if (scheme !== undefined && KNOWN_SCHEMES.has(scheme.toLowerCase())) {
    return `The Authorization header uses the scheme ${scheme}; write "Authorization: Bearer <token>".`
  }
  return 'The Authorization header is malformed; write "Authorization: Bearer <token>".'
}

/**
 * Read `Authorization: Bearer <token>` and `X-Backstop-Token: <token>`.
 *
 * Invariants: several headers count as one only when they hold the same token
 */
export function readCredential(authorization: readonly string[], backstopToken: readonly string[]): Credential {
  const tokens = new Set<string>()
  for (const value of authorization) {
    const token = BEARER.exec(value)?.[1]
    if (token === undefined) return { kind: 'malformed', message: explainHeader(value) }
    tokens.add(token)
  }
  for (const value of backstopToken) {
    if (!/^[\x21-\x7e]+$/.test(value))
      return { kind: 'malformed', message: 'The X-Backstop-Token header is malformed.' }
    tokens.add(value)
  }
  const [token, other] = tokens
  if (token === undefined) return { kind: 'absent' }
  if (other !== undefined) return { kind: 'malformed', message: 'The request carries two different tokens; send one.' }
  return { kind: 'token', token }
}
