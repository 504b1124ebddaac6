import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeWorkMessage, encodeWorkMessage } from '#lib/adapters/aws/work-queue/message.ts'
import { planPlace } from '#lib/adapters/aws/work-queue/place.ts'
import type { JsonObject } from '#lib/kernel/index.ts'

/** "Amazon SQS, SendMessage": #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF. */
const SQS_TEXT = /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u
const anyText = fc.string({ unit: 'binary', minLength: 1 })

describe('work as the text of a message', () => {
  it('is the same work again, in characters that SQS takes', () => {
    const body = fc.dictionary(anyText, fc.jsonValue()).map((value) => value as JsonObject)
    fc.assert(
      fc.property(anyText, body, fc.option(anyText, { nil: undefined }), (kind, work, correlationId) => {
        const message = { kind, body: work, ...(correlationId !== undefined && { correlationId }) }
        const text = encodeWorkMessage(message)
        expect(text).toMatch(SQS_TEXT)
        expect(decodeWorkMessage(text)).toEqual(JSON.parse(JSON.stringify(message)))
      }),
      { numRuns: 500 },
    )
  })

  it('keeps apart what differs in kind or key, in characters and a length that SQS takes', () => {
    const key = fc.record({ kind: anyText, key: anyText })
    fc.assert(
      fc.property(key, key, (left, right) => {
        const [one, other] = [left, right].map(({ kind, key: own }) =>
          planPlace('https://sqs/q.fifo', kind, { dedupeKey: own, groupKey: own }, 'work_1'),
        )
        const isSame = left.kind === right.kind && left.key === right.key
        expect(one?.MessageDeduplicationId === other?.MessageDeduplicationId).toBe(isSame)
        expect(one?.MessageGroupId === other?.MessageGroupId).toBe(isSame)
        expect(one?.MessageGroupId).toMatch(/^[0-9a-f]{64}$/)
      }),
      { numRuns: 500 },
    )
  })
})
