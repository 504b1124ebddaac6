import { describe, expect, it } from 'vitest'
import { decodeAlertWork } from '#lib/adapters/aws/index.ts'
import { encodeAlertWork } from '#lib/adapters/aws/notifier/alert-work.ts'
import type { JsonObject } from '#lib/kernel/index.ts'
import { sampleAlert } from '../../../contract/notifier.ts'

const alert = sampleAlert as unknown as JsonObject

describe('an alert as work', () => {
  it('is the same alert again', () => {
    expect(decodeAlertWork(encodeAlertWork({ ...sampleAlert, dedupeKey: 'held' }))).toEqual({
      ...sampleAlert,
      dedupeKey: 'held',
    })
  })

  it.each<[JsonObject, string]>([
    [{}, 'it holds no alert'],
    [{ alert: [] }, 'it holds no alert'],
    [{ alert: { ...alert, id: 7 } }, 'the alert\'s "id" is no text'],
    [{ alert: { ...alert, at: null } }, 'the alert\'s "at" is no text'],
    [{ alert: { ...alert, severity: 's3cret' } }, "the alert's severity is unknown"],
    [{ alert: { ...alert, facts: 's3cret' } }, 'the alert has no facts'],
  ])('is refused as %j, without being shown', (body, reason) => {
    const decode = () => decodeAlertWork(body)
    expect(decode).toThrow(expect.objectContaining({ code: 'WORK_INVALID' }))
    expect(decode).toThrow(reason)
    expect(decode).not.toThrow('s3cret')
  })
})
