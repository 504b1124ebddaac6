/** Who sends a request: what was found out about its credential. */
import type { Principal } from '#lib/gate/index.ts'
import { readCredential } from './credential.ts'
import type { TokenRegistry } from './registry.ts'

export type Identification =
  | { readonly verdict: 'principal'; readonly principal: Principal }
  /** No credential was presented. */
  | { readonly verdict: 'absent' }
  | { readonly verdict: 'unknown' | 'expired' | 'malformed'; readonly message: string }
  /** A credential was presented, and it could not be found out whose it is. */
  | { readonly verdict: 'unavailable'; readonly message: string }
  /** Nobody has looked: good for open routes alone. */
  | { readonly verdict: 'unchecked' }

/** Every value of a header; `name` in lower case. */
export interface CredentialHeaders {
  headerValues(name: string): readonly string[]
}

const MESSAGES = { unknown: 'The token is not known.', expired: 'The token has expired.' } as const

/** Identify by a registry of tokens. */
export function identifyByTokens(tokens: TokenRegistry): (request: CredentialHeaders) => Identification {
  return (request) => {
    const credential = readCredential(request.headerValues('authorization'), request.headerValues('x-backstop-token'))
    if (credential.kind === 'malformed') return { verdict: 'malformed', message: credential.message }
    if (credential.kind === 'absent') return { verdict: 'absent' }
    const authentication = tokens.authenticate(credential.token)
    if (authentication.ok) return { verdict: 'principal', principal: authentication.principal }
    return { verdict: authentication.because, message: MESSAGES[authentication.because] }
  }
}
