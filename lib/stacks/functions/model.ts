/** The words in which the function table is written. */
import type { RouteFunction } from '#lib/api/index.ts'

export type QueueName = 'run' | 'capture' | 'part' | 'alert'

/** What a function may do, in words; `statements.ts` turns each into exact IAM statements. */
export type Permission =
  | 'records:read'
  | 'records:write'
  | 'snapshots:add'
  | 'snapshots:read'
  | 'sets:add'
  | 'sets:read'
  | 'snapshots:remove'
  | 'drills:add'
  | 'drills:read'
  | 'wal:read'
  | 'undo:add'
  | 'undo:read'
  | 'audit:append'
  | 'audit:read'
  | 'config:read'
  | 'tokens:read'
  | 'webhooks:read'
  | 'topic:publish'
  | 'database:connect'
  | 'queue.task:send'
  | `queue.${QueueName}:send`
  | `queue.${QueueName}:receive`

export type Trigger =
  /** Every route of the route table whose `servedBy` is this function. */
  | { readonly kind: 'routes' }
  | { readonly kind: 'authorizer' }
  | { readonly kind: 'queue'; readonly queue: QueueName; readonly batchSize: number }
  | { readonly kind: 'every-minute' }
  | { readonly kind: 'daily'; readonly at: 'drillAt' | 'verifyAt' | 'retainAt' }

export type FunctionName =
  | RouteFunction
  | 'gate.authorize'
  | 'gate.run'
  | 'gate.expire'
  | 'gate.seal'
  | 'gate.relay'
  | 'recovery.plan'
  | 'recovery.capture'
  | 'recovery.part'
  | 'recovery.verify'
  | 'recovery.retain'
  | 'recovery.drill'
  | 'recovery.watch'

export interface FunctionRow {
  /** `<part>.<verb>`: its folder is `functions/<part>/<verb>`. */
  readonly name: FunctionName
  readonly does: string
  readonly timeoutS: number
  readonly memoryMib: number
  readonly trigger: Trigger
  /** Concurrent runs are bounded by this entry of the environment's `concurrency`. */
  readonly bounded?: 'query' | 'run' | 'capture' | 'part'
  readonly permissions: readonly Permission[]
}
