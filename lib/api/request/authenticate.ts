/** Turn the credential of a request into a principal. */
import type { Principal } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { HttpRequest } from '#lib/ports/index.ts'
import type { Limits } from '../limit/index.ts'
import type { HttpMetrics } from '../metrics/index.ts'
import type { TokenRegistry } from '../token/index.ts'
import { readCredential } from '../token/index.ts'

/** A caller without a token, where that is allowed. Holds no scope. */
const ANONYMOUS: Principal = { name: 'anonymous', scopes: [], agentIds: [] }

const REASONS = { unknown: 'The token is not known.', expired: 'The token has expired.' } as const

export interface AuthenticationPorts {
  readonly tokens: TokenRegistry
  readonly limits: Limits
  readonly metrics: HttpMetrics
}

/** A failure costs one count and one bucket look-up: no store, no alert of its own. */
function refuse(ports: AuthenticationPorts, remoteAddress: string, message: string): never {
  ports.metrics.noteRefusedCredential('auth_unauthorized')
  const spending = ports.limits.noteFailure(remoteAddress)
  if (spending.ok) throw new BackstopError('UNAUTHORIZED', message)
  const { retryAfterSeconds } = spending
  throw new BackstopError('RATE_LIMITED', 'too many failed authentications', { details: { retryAfterSeconds } })
}

/**
 * Authenticate.
 *
 * Invariants: a credential that is presented must be valid even where none is needed; a valid token always passes,
 *             however many failures came from its address
 * Throws:     `UNAUTHORIZED`, `RATE_LIMITED`
 */
export function authenticate(request: HttpRequest, isTokenNeeded: boolean, ports: AuthenticationPorts): Principal {
  const credential = readCredential(request.headerValues('authorization'), request.headerValues('x-backstop-token'))
  if (credential.kind === 'malformed') return refuse(ports, request.remoteAddress, credential.message)
  if (credential.kind === 'absent') {
    return isTokenNeeded ? refuse(ports, request.remoteAddress, 'The request carries no token.') : ANONYMOUS
  }
  const authentication = ports.tokens.authenticate(credential.token)
  if (authentication.ok) return authentication.principal
  return refuse(ports, request.remoteAddress, REASONS[authentication.because])
}
