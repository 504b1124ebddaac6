/** The shape of a handler: the route's checked input and the call's context in, an answer out. */
import type { z } from 'zod'
import type { Answer } from '../answer/index.ts'
import type { CallContext } from '../context.ts'
import type { ROUTES, RouteName } from '../route/index.ts'

type RouteOf<N extends RouteName> = Extract<(typeof ROUTES)[number], { readonly name: N }>
type BodyOf<R> = R extends { readonly body: { readonly kind: 'json'; readonly schema: infer S extends z.ZodType } }
  ? z.output<S>
  : R extends { readonly body: { readonly kind: 'text' } }
    ? string | undefined
    : undefined

export interface RouteInput<N extends RouteName> {
  readonly params: z.output<RouteOf<N>['params']>
  readonly query: z.output<RouteOf<N>['query']>
  /** Text bodies are undefined when they are not UTF-8. */
  readonly body: BodyOf<RouteOf<N>>
}

export type Handler<N extends RouteName> = (context: CallContext, input: RouteInput<N>) => Promise<Answer>
