/** Turn what is known of a request's sender into a principal, or refuse it. */
import type { Principal } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { HttpRequest } from '#lib/ports/index.ts'
import type { Limits } from '../limit/index.ts'
import type { ApiServices } from '../model.ts'

/** A caller without a token, where that is allowed. Holds no scope. */
const ANONYMOUS: Principal = { name: 'anonymous', scopes: [], agentIds: [] }

type Ports = Pick<ApiServices, 'identify' | 'metrics'>

/** A failure costs one count and one bucket look-up: no store, no alert of its own. */
function refuse(ports: Ports, limits: Limits, remoteAddress: string, message: string): never {
  ports.metrics.noteRefusedCredential('auth_unauthorized')
  const spending = limits.noteFailure(remoteAddress)
  if (spending.ok) throw new BackstopError('UNAUTHORIZED', message)
  const { retryAfterSeconds } = spending
  throw new BackstopError('RATE_LIMITED', 'too many failed authentications', { details: { retryAfterSeconds } })
}

/**
 * Authenticate.
 *
 * Invariants: a credential that is presented must be valid even where none is needed; a valid token always passes,
 *             however many failures came from its address
 * Throws:     `UNAUTHORIZED`, `RATE_LIMITED`, `IDENTITY_UNAVAILABLE`
 */
export function authenticate(request: HttpRequest, isTokenNeeded: boolean, ports: Ports, limits: Limits): Principal {
  const found = ports.identify(request)
  switch (found.verdict) {
    case 'principal':
      return found.principal
    case 'absent':
      return isTokenNeeded ? refuse(ports, limits, request.remoteAddress, 'The request carries no token.') : ANONYMOUS
    case 'unchecked':
      if (!isTokenNeeded) return ANONYMOUS
      throw new BackstopError('IDENTITY_UNAVAILABLE', 'nobody has looked at the credential of this request')
    case 'unavailable':
      throw new BackstopError('IDENTITY_UNAVAILABLE', found.message)
    default:
      return refuse(ports, limits, request.remoteAddress, found.message)
  }
}
