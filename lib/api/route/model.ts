/** One route: everything that dispatch, the OpenAPI document, the docs and an API gateway need to know about it. */
import type { z } from 'zod'
import type { Scope } from '../token/index.ts'

/** `open`: anybody, though a credential that is sent must be valid. `token`: any valid token; the handler looks closer. */
export type Access = 'open' | 'token' | Scope

export type BodyRule =
  | { readonly kind: 'none' }
  /** JSON by the schema; an empty body is `{}`. */
  | { readonly kind: 'json'; readonly schema: z.ZodType; readonly limitBytes: number }
  /** The handler reads the text itself; the schema is documentation. */
  | { readonly kind: 'text'; readonly schema: z.ZodType; readonly limitBytes: number; readonly isJsonRequired: boolean }

/** The Lambda function that serves a route where the product runs on AWS. */
export type RouteFunction = 'gate.query' | 'gate.approve' | 'gate.inspect' | 'gate.administer'

export interface Route {
  /** The operation id, and the key of its handler. */
  readonly name: string
  readonly method: 'GET' | 'POST'
  /** Literal segments and `{name}` segments. */
  readonly path: `/${string}`
  readonly access: Access
  readonly servedBy: RouteFunction
  readonly summary: string
  readonly params: z.ZodObject
  readonly query: z.ZodObject
  readonly body: BodyRule
  readonly answer: z.ZodType
  readonly answerType: 'application/json' | 'text/plain'
  /** Statuses beyond 200 that are particular to this route. */
  readonly otherStatuses: readonly number[]
}
