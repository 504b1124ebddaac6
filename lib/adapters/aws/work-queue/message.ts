/** Work as the text of an SQS message, and back. */
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'

/** SQS takes 1 MiB by now; this is what every queue takes, older ones and their dead-letter queues included. */
export const MAX_MESSAGE_BYTES = 262_144

export interface WorkMessage {
  /** On a standard queue, where a send that was repeated makes two messages; a FIFO queue keeps them one by itself. */
  readonly id?: string
  readonly kind: string
  readonly body: JsonObject
  readonly correlationId?: string
}

/** Throws WORK_TOO_LARGE. */
export function encodeWorkMessage(message: WorkMessage): string {
  const text = JSON.stringify(message).replace(/[\ufffe\uffff]/g, escapeCharacter)
  const sizeBytes = Buffer.byteLength(text)
  if (sizeBytes <= MAX_MESSAGE_BYTES) return text
  throw new BackstopError(
    'WORK_TOO_LARGE',
    `work of the kind "${message.kind}" takes ${sizeBytes} bytes, and a message at most ${MAX_MESSAGE_BYTES}`,
    { details: { kind: message.kind, sizeBytes, limitBytes: MAX_MESSAGE_BYTES } },
  )
}

/** JSON leaves these two as they are, SQS refuses a message that holds them. */
function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16)}`
}

/** Throws WORK_INVALID, and shows nothing of the text: nobody knows what it is. */
export function decodeWorkMessage(text: string): WorkMessage {
  const { id, kind, body, correlationId } = parseObject(text)
  if (typeof kind !== 'string' || kind === '') throw malformed('it names no kind of work')
  if (!isObject(body)) throw malformed('it has no body')
  if (id !== undefined && (typeof id !== 'string' || id === '')) throw malformed('its id is no text')
  if (correlationId !== undefined && typeof correlationId !== 'string') throw malformed('its correlation id is no text')
  return { kind, body, ...(id !== undefined && { id }), ...(correlationId !== undefined && { correlationId }) }
}

function parseObject(text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed('it is not JSON')
  }
  if (!isObject(value)) throw malformed('it is no JSON object')
  return value
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(reason: string): BackstopError {
  return new BackstopError('WORK_INVALID', `the message holds no work: ${reason}`, { details: { reason } })
}
