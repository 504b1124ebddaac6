/** Answer one JSON-RPC call. */

import { z } from 'zod'
import type { BackstopError, ErrorKind } from '#lib/kernel/index.ts'
import { asBackstopError, errorName, scopeError } from '../answer/index.ts'
import type { CallContext } from '../context.ts'
import { explainIssue } from '../request/index.ts'
import { coversScope } from '../token/index.ts'
import type { Tool } from '../tool/index.ts'
import { findTool, listTools } from '../tool/index.ts'
import type { RpcFailure, RpcId, RpcReply } from './model.ts'
import * as codes from './model.ts'

export interface RpcCall {
  readonly id: RpcId
  readonly method: string
  readonly params: unknown
  readonly isInBatch: boolean
}

/** What a call came to; `deniedStatus` is the HTTP status when it was refused and came alone. */
export interface RpcOutcome {
  readonly reply: RpcReply
  readonly deniedStatus?: number
}

const CODES: Partial<Record<ErrorKind, number>> = {
  invalid: codes.INVALID_PARAMS,
  denied: codes.FORBIDDEN,
  missing: codes.NOT_FOUND,
  conflict: codes.CONFLICT,
  limited: codes.LIMITED,
}

/** Taken as it is, so that the tool's own schema sees every key. */
const plainObject = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
)
const callParams = z.strictObject({
  name: z.string(),
  arguments: plainObject.default({}),
  _meta: plainObject.optional(),
})

function failed(id: RpcId, error: RpcFailure): RpcOutcome {
  return { reply: { jsonrpc: '2.0', id, error } }
}

function refused(id: RpcId, error: BackstopError, correlationId: string): RpcOutcome {
  const scope = error.details['requiredScope']
  const data = {
    error: errorName(error),
    hint: error.hint,
    correlation_id: correlationId,
    ...(scope === undefined ? {} : { required_scope: scope }),
  }
  const code = CODES[error.kind] ?? codes.INTERNAL_ERROR
  const outcome = failed(id, { code, message: error.message, data })
  return error.kind === 'denied' ? { ...outcome, deniedStatus: error.httpStatus } : outcome
}

async function runTool(context: CallContext, call: RpcCall, tool: Tool, given: object): Promise<RpcOutcome> {
  if (!coversScope(context.principal.scopes, tool.scope)) {
    context.services.metrics.noteRefusedCredential('auth_forbidden')
    return refused(call.id, scopeError(tool.scope), context.correlationId)
  }
  const parsed = tool.input.safeParse(given)
  if (!parsed.success) return failed(call.id, { code: codes.INVALID_PARAMS, message: explainIssue(parsed.error) })
  if (call.isInBatch && Object.hasOwn(given, 'wait_seconds')) {
    return failed(call.id, { code: codes.INVALID_PARAMS, message: 'wait_seconds cannot be used in a batch' })
  }
  return { reply: { jsonrpc: '2.0', id: call.id, result: await tool.run(context, parsed.data) } }
}

async function route(context: CallContext, call: RpcCall): Promise<RpcOutcome> {
  if (call.method === 'tools/list') return { reply: { jsonrpc: '2.0', id: call.id, result: { tools: listTools() } } }
  if (call.method !== 'tools/call') {
    return failed(call.id, { code: codes.METHOD_NOT_FOUND, message: `unknown method: ${call.method.slice(0, 64)}` })
  }
  const params = callParams.safeParse(call.params)
  if (!params.success) {
    return failed(call.id, { code: codes.INVALID_PARAMS, message: `invalid params: ${explainIssue(params.error)}` })
  }
  const tool = findTool(params.data.name)
  if (tool === undefined) {
    return failed(call.id, { code: codes.METHOD_NOT_FOUND, message: `unknown tool: ${params.data.name.slice(0, 64)}` })
  }
  return runTool(context, call, tool, params.data.arguments)
}

/** Never rejects: an error becomes the call's reply, a defect is reported. */
export async function answerCall(context: CallContext, call: RpcCall): Promise<RpcOutcome> {
  try {
    return await route(context, call)
  } catch (thrown) {
    const error = asBackstopError(thrown)
    if (error.code === 'BUG') context.services.reportDefect(thrown, context.correlationId)
    return refused(call.id, error, context.correlationId)
  }
}
