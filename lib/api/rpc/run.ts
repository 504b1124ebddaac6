/** Turn the text of a JSON-RPC request into its answer. */
import type { Answer } from '../answer/index.ts'
import { asBackstopError, EMPTY_ANSWER, jsonAnswer } from '../answer/index.ts'
import type { CallContext } from '../context.ts'
import type { RpcOutcome } from './call.ts'
import { answerCall } from './call.ts'
import { decodeMessage } from './decode.ts'
import type { RpcId, RpcMessage, RpcReply } from './model.ts'
import { INVALID_REQUEST, LIMITED, MOST_IN_BATCH, PARSE_ERROR } from './model.ts'

function failure(id: RpcId, code: number, message: string): RpcReply {
  return { jsonrpc: '2.0', id, error: { code, message } }
}

/**
 * Undefined for a notification: nobody would learn the verdict, so nothing is run for one.
 * See docs/decisions/json-rpc.md.
 */
async function answerMessage(
  context: CallContext,
  message: RpcMessage,
  isInBatch: boolean,
): Promise<RpcOutcome | undefined> {
  if (message.kind === 'notification') return undefined
  if (message.kind === 'invalid') return { reply: failure(message.id, INVALID_REQUEST, message.message) }
  return answerCall(context, { id: message.id, method: message.method, params: message.params, isInBatch })
}

/** The reply to a call that the rate no longer covers. */
function spendFor(context: CallContext, message: RpcMessage): RpcOutcome | undefined {
  if (message.kind === 'notification') return undefined
  try {
    context.permit.spend()
    return undefined
  } catch (thrown) {
    return { reply: failure(message.id, LIMITED, asBackstopError(thrown).message) }
  }
}

/** The reply to a call that could not be answered in time: nothing of it is begun. */
function refuseLate(context: CallContext, message: RpcMessage): RpcOutcome | undefined {
  if (message.kind === 'notification' || !context.request.signal.aborted) return undefined
  return { reply: failure(message.id, LIMITED, 'no time is left in this request; send the call by itself') }
}

/** One after the other, in the order given; each message after the first counts against the rate. */
async function answerBatch(context: CallContext, batch: readonly unknown[]): Promise<Answer> {
  const replies: RpcReply[] = []
  for (const [index, value] of batch.entries()) {
    const message = decodeMessage(value)
    const limited = index === 0 ? undefined : (refuseLate(context, message) ?? spendFor(context, message))
    const outcome = limited ?? (await answerMessage(context, message, true))
    if (outcome !== undefined) replies.push(outcome.reply)
  }
  return replies.length === 0 ? EMPTY_ANSWER : jsonAnswer(200, replies)
}

function parse(text: string | undefined): { readonly value: unknown } | undefined {
  try {
    return text === undefined ? undefined : { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/**
 * Answer a request or a batch.
 *
 * Invariants: HTTP status 200 for everything that JSON-RPC can say, 204 when nothing is to be said, and 403 when a lone
 *             call was refused for its scope or agent
 * Source:     JSON-RPC 2.0 specification, sections 4 to 6
 */
export async function runRpc(context: CallContext, text: string | undefined): Promise<Answer> {
  const parsed = parse(text)
  if (parsed === undefined)
    return jsonAnswer(200, failure(null, PARSE_ERROR, 'parse error: the body is not valid JSON in UTF-8'))
  const { value } = parsed
  if (!Array.isArray(value)) {
    const outcome = await answerMessage(context, decodeMessage(value), false)
    return outcome === undefined ? EMPTY_ANSWER : jsonAnswer(outcome.deniedStatus ?? 200, outcome.reply)
  }
  if (value.length === 0) return jsonAnswer(200, failure(null, INVALID_REQUEST, 'a batch must not be empty'))
  if (value.length > MOST_IN_BATCH) {
    return jsonAnswer(200, failure(null, INVALID_REQUEST, `a batch holds at most ${MOST_IN_BATCH} requests`))
  }
  return answerBatch(context, value)
}
