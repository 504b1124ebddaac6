/** The policy of the configuration bucket: refused when malformed, live without a restart, and its change written down once. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BucketPolicyOptions, openBucketPolicy } from '#functions/shared/policy.ts'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { AuditLedger } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { memoryStore } from '#test/support/recovery/memory-store.ts'

let records: ReturnType<typeof openSqliteRecordStore>
let clock: ReturnType<typeof createFixedClock>
let text: string | undefined
let isDown: boolean
let changes: unknown[]
let refused: unknown[]
let failsOnce: boolean

beforeEach(() => {
  clock = createFixedClock()
  records = openSqliteRecordStore({ path: ':memory:', clock })
  text = undefined
  isDown = false
  failsOnce = false
  changes = []
  refused = []
})
afterEach(() => records.close())

const objects: ObjectStore = {
  ...memoryStore(),
  async read() {
    if (isDown) throw new BackstopError('STORAGE_UNREACHABLE', 'throttled')
    if (text === undefined) throw new BackstopError('OBJECT_MISSING', 'there is none')
    return Buffer.from(text)
  },
}
const ledger: Pick<AuditLedger, 'record'> = {
  async record(intent) {
    if (failsOnce) {
      failsOnce = false
      throw new BackstopError('AUDIT_UNAVAILABLE', 'throttled')
    }
    changes.push(intent.facts)
    return 'aud_1'
  },
}
const open = (more: Partial<BucketPolicyOptions> = {}) =>
  openBucketPolicy({
    objects,
    levelActions: {},
    clock,
    log: (_level, _event, facts) => void refused.push(facts),
    announce: { records, ledger: ledger as AuditLedger },
    ...more,
  })
const policyText = (rows: number) => JSON.stringify({ max_write_rows_without_critical: rows })
const rowsOf = (policy: Awaited<ReturnType<typeof open>>) =>
  policy.keeper.active().policy.max_write_rows_without_critical

describe('the policy', () => {
  it('is the default one where the bucket holds none', async () => {
    expect(rowsOf(await open())).toBe(1_000)
  })

  it('stops a cold start when it is malformed or cannot be read', async () => {
    text = '{"max_write_rows_without_critical":"many"}'
    await expect(open()).rejects.toMatchObject({ code: 'POLICY_INVALID' })
    isDown = true
    await expect(open()).rejects.toMatchObject({ code: 'STORAGE_UNREACHABLE' })
  })

  it('is read again after ten seconds, and the last good one stays in force', async () => {
    text = policyText(7)
    const policy = await open()
    text = policyText(8)
    clock.advance(9_999)
    await policy.refresh()
    expect(rowsOf(policy)).toBe(7)
    clock.advance(1)
    await policy.refresh()
    expect(rowsOf(policy)).toBe(8)
    for (const bad of ['{', undefined]) {
      text = bad
      clock.advance(10_000)
      await policy.refresh()
      expect(rowsOf(policy)).toBe(8)
    }
    isDown = true
    clock.advance(10_000)
    await policy.refresh()
    expect(rowsOf(policy)).toBe(8)
    expect(refused.length).toBeGreaterThanOrEqual(3)
  })

  it('is written into the ledger by one of many instances, and again only when it changes', async () => {
    text = policyText(7)
    const instances = await Promise.all(Array.from({ length: 8 }, () => open()))
    expect(changes).toHaveLength(1)
    text = policyText(8)
    clock.advance(10_000)
    await Promise.all(instances.map((one) => one.refresh()))
    expect(instances.map(rowsOf)).toEqual(Array.from({ length: 8 }, () => 8))
    expect(changes).toHaveLength(2)
    expect(changes[1]).toEqual({ from: (changes[0] as { to: string }).to, to: instances[0]?.keeper.active().version })
    await open()
    expect(changes).toHaveLength(2)
  })

  it('does not come into force when its change cannot be written down', async () => {
    text = policyText(7)
    const policy = await open()
    text = policyText(8)
    failsOnce = true
    clock.advance(10_000)
    await policy.refresh()
    expect(rowsOf(policy)).toBe(7)
    clock.advance(10_000)
    await policy.refresh()
    expect(rowsOf(policy)).toBe(8)
  })
})
