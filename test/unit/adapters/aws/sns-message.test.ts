import { describe, expect, it } from 'vitest'
import { buildSnsMessage } from '#lib/adapters/aws/notifier/sns-message.ts'
import { sampleAlert } from '../../../contract/notifier.ts'

const read = (message: string | undefined) => JSON.parse(message ?? '') as Record<string, string>

describe('an alert for a topic', () => {
  it('is a mail that a person reads, and a document for everything else', () => {
    const message = buildSnsMessage(sampleAlert)
    expect(message.MessageStructure).toBe('json')
    const { default: document, email, sms } = read(message.Message)
    expect(JSON.parse(document as string)).toMatchObject({ id: 'alrt_1', facts: { rows: 12 } })
    expect(email).toBe(`CRITICAL: DROP TABLE waits for a decision – “now”

What to do: Decide with "backstop approvals list"

Event: approval_requested
Environment: production
At: 2027-01-15T08:00:00.000Z
Alert: alrt_1

Facts:
  approval_id: appr_1
  rows: 12
  tables: ["public.orders","public.\\"Ünïcode 💾\\""]
  nested: {"held":true}
`)
    expect(sms).toMatch(/^\[production\] CRITICAL: DROP TABLE/)
  })

  it.each([
    ['line\r\nBcc: everyone@example.com', '[production] CRITICAL: line?Bcc: everyone@example.com'],
    ['ünïcode 💾 only', '[production] CRITICAL: ?n?code ? only'],
    ['x'.repeat(500), `[production] CRITICAL: ${'x'.repeat(76)}`],
  ])('has a subject that SNS takes, of the title %j', (title, subject) => {
    const { Subject } = buildSnsMessage({ ...sampleAlert, title })
    expect(Subject).toBe(subject)
    expect(Subject?.length).toBeLessThan(100)
  })

  it('stays under 256 KiB whatever it holds', () => {
    const facts = Object.fromEntries(Array.from({ length: 280 }, (_, n) => [`"${n}"`, '"\\\u0001'.repeat(10)]))
    const filled = { ...sampleAlert, title: '\u0001'.repeat(50_000), recommendedAction: '💾'.repeat(50_000), facts }
    const { Message, MessageAttributes } = buildSnsMessage(filled)
    expect(Buffer.byteLength(`${Message}${JSON.stringify(MessageAttributes)}`)).toBeLessThan(262_144)
    expect(JSON.parse(read(Message)['default'] as string).facts).toEqual(facts)
    expect(read(Message)['email']).toContain('  and 230 more')
  })
})
