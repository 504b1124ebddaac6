/**
 * Answer one message of an MCP client: streamable HTTP without sessions, every answer one JSON document.
 *
 * Source: Model Context Protocol specification, "Transports" and "Tools"
 */
import { BackstopError } from '#lib/kernel/index.ts'
import type { Answer } from '../answer/index.ts'
import { EMPTY_ANSWER, jsonAnswer } from '../answer/index.ts'
import type { CallContext } from '../context.ts'
import type { RpcId, RpcOutcome, RpcReply } from '../rpc/index.ts'
import {
  answerCall,
  decodeMessage,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
} from '../rpc/index.ts'
import { INSTRUCTIONS, PROTOCOL_VERSIONS, SERVER_NAME } from './model.ts'

const ACCEPTED: Answer = { ...EMPTY_ANSWER, status: 202 }

interface McpCall {
  readonly id: RpcId
  readonly method: string
  readonly params: unknown
}

function refuse(id: RpcId, code: number, message: string): Answer {
  return jsonAnswer(400, { jsonrpc: '2.0', id, error: { code, message } })
}

function parse(text: string | undefined): { readonly value: unknown } | undefined {
  try {
    return text === undefined ? undefined : { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** A browser's page may only call the gateway that served it. Throws ORIGIN_NOT_ALLOWED. */
function assertOrigin({ request }: CallContext): void {
  const [origin] = request.headerValues('origin')
  if (origin === undefined) return
  const [host] = request.headerValues('host')
  if (host !== undefined && URL.parse(origin)?.host === host.toLowerCase()) return
  throw new BackstopError('ORIGIN_NOT_ALLOWED', 'the request comes from a page of another origin')
}

/** Undefined: a version that this server speaks, or none is named. */
function findForeignVersion({ request }: CallContext): string | undefined {
  const named = request.headerValues('mcp-protocol-version')
  return named.find((version) => !(PROTOCOL_VERSIONS as readonly string[]).includes(version))
}

function initialize(context: CallContext, { id, params }: McpCall): RpcReply {
  const wanted = (params as { readonly protocolVersion?: unknown } | undefined)?.protocolVersion
  const protocolVersion = PROTOCOL_VERSIONS.find((version) => version === wanted) ?? PROTOCOL_VERSIONS[0]
  const result = {
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: SERVER_NAME, version: context.settings.version },
    instructions: INSTRUCTIONS,
  }
  return { jsonrpc: '2.0', id, result }
}

function toolResult(id: RpcId, text: string, isError: boolean, structuredContent?: object): RpcReply {
  const structured = structuredContent === undefined ? {} : { structuredContent }
  return { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }], ...structured, isError } }
}

/** A verdict is a result; what failed is an error that the model sees and can correct. */
function asToolAnswer({ reply, deniedStatus }: RpcOutcome): Answer {
  if ('result' in reply) {
    const isError = (reply.result as { readonly status?: unknown }).status === 'failed'
    return jsonAnswer(200, toolResult(reply.id, JSON.stringify(reply.result), isError, reply.result))
  }
  const { code, message } = reply.error
  if (code === INVALID_PARAMS) return jsonAnswer(200, toolResult(reply.id, message, true))
  const error = { ...reply.error, code: code === METHOD_NOT_FOUND ? INVALID_PARAMS : code }
  return jsonAnswer(deniedStatus ?? 200, { ...reply, error })
}

async function answer(context: CallContext, call: McpCall): Promise<Answer> {
  if (call.method === 'initialize') return jsonAnswer(200, initialize(context, call))
  if (call.method === 'ping') return jsonAnswer(200, { jsonrpc: '2.0', id: call.id, result: {} })
  const outcome = await answerCall(context, { ...call, isInBatch: false })
  if (call.method === 'tools/call') return asToolAnswer(outcome)
  return jsonAnswer(outcome.deniedStatus ?? 200, outcome.reply)
}

/**
 * Answer a message.
 *
 * Invariants: 202 for a notification, which runs nothing; 400 for what is no message of the protocol
 * Throws:     `ORIGIN_NOT_ALLOWED`
 */
export async function runMcp(context: CallContext, text: string | undefined): Promise<Answer> {
  assertOrigin(context)
  const foreign = findForeignVersion(context)
  if (foreign !== undefined) {
    return refuse(null, INVALID_REQUEST, `MCP-Protocol-Version must be one of ${PROTOCOL_VERSIONS.join(', ')}`)
  }
  const parsed = parse(text)
  if (parsed === undefined) return refuse(null, PARSE_ERROR, 'parse error: the body is not valid JSON in UTF-8')
  if (Array.isArray(parsed.value)) return refuse(null, INVALID_REQUEST, 'the protocol has no batches: send one message')
  const message = decodeMessage(parsed.value)
  if (message.kind === 'notification') return ACCEPTED
  if (message.kind === 'invalid') return refuse(message.id, INVALID_REQUEST, message.message)
  return await answer(context, message)
}
