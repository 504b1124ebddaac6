/** JSON-RPC 2.0 messages and error codes. */
export type RpcId = string | number | null

export interface RpcFailure {
  readonly code: number
  readonly message: string
  readonly data?: object
}

export type RpcReply =
  | { readonly jsonrpc: '2.0'; readonly id: RpcId; readonly result: object }
  | { readonly jsonrpc: '2.0'; readonly id: RpcId; readonly error: RpcFailure }

export type RpcMessage =
  | { readonly kind: 'call'; readonly id: RpcId; readonly method: string; readonly params: unknown }
  | { readonly kind: 'notification' }
  | { readonly kind: 'invalid'; readonly id: RpcId; readonly message: string }

/** From the specification. */
export const PARSE_ERROR = -32_700
export const INVALID_REQUEST = -32_600
export const METHOD_NOT_FOUND = -32_601
export const INVALID_PARAMS = -32_602
export const INTERNAL_ERROR = -32_603
/** Ours, from the range for implementations. */
export const FORBIDDEN = -32_003
export const NOT_FOUND = -32_004
export const CONFLICT = -32_009
export const LIMITED = -32_029

/** Most messages in one batch. */
export const MOST_IN_BATCH = 20
