/** What a handler knows about the call that it answers. */
import type { Principal } from '#lib/gate/index.ts'
import type { HttpRequest } from '#lib/ports/index.ts'
import type { Permit } from './limit/index.ts'
import type { ApiServices, ApiSettings } from './model.ts'

export interface CallContext {
  readonly services: ApiServices
  readonly settings: ApiSettings
  readonly principal: Principal
  readonly permit: Permit
  readonly correlationId: string
  readonly request: HttpRequest
  /** Aborted when the API shuts down: whoever waits answers with what is known. */
  readonly drainSignal: AbortSignal
}
