/** Tell calls, notifications and invalid messages apart, by the JSON-RPC 2.0 specification. */
import type { RpcId, RpcMessage } from './model.ts'

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: unknown): value is RpcId {
  return value === null || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))
}

/** An invalid message keeps its id where it has a valid one, so that the caller can tell which it was. */
export function decodeMessage(value: unknown): RpcMessage {
  if (!isObject(value)) return { kind: 'invalid', id: null, message: 'a request must be an object' }
  const hasId = Object.hasOwn(value, 'id')
  const { id: given, jsonrpc, method, params } = value
  if (hasId && !isId(given)) return { kind: 'invalid', id: null, message: 'id must be a string, a number or null' }
  const id = hasId && isId(given) ? given : null
  if (jsonrpc !== '2.0') return { kind: 'invalid', id, message: 'jsonrpc must be "2.0"' }
  if (typeof method !== 'string' || method === '') return { kind: 'invalid', id, message: 'missing method' }
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return { kind: 'invalid', id, message: 'params must be an object or an array' }
  }
  return hasId ? { kind: 'call', id, method, params } : { kind: 'notification' }
}
