import { describe, expect, it } from 'vitest'
import { addressKey } from '#lib/api/limit/address-key.ts'
import { createLimits, DEFAULT_LIMITS } from '#lib/api/limit/index.ts'
import { Slots } from '#lib/api/limit/slots.ts'
import { TokenBuckets } from '#lib/api/limit/token-bucket.ts'

describe('TokenBuckets', () => {
  it('lets the burst through, then refills at the rate', () => {
    const buckets = new TokenBuckets({ perSecond: 2, burst: 3 }, 10)
    expect([1, 2, 3].map(() => buckets.spend('a', 0).ok)).toEqual([true, true, true])
    expect(buckets.spend('a', 0)).toEqual({ ok: false, retryAfterSeconds: 1 })
    expect(buckets.spend('a', 499).ok).toBe(false)
    expect(buckets.spend('a', 500).ok).toBe(true)
    expect(buckets.spend('b', 500).ok).toBe(true)
  })

  it('says how long to wait at slow rates', () => {
    const buckets = new TokenBuckets({ perSecond: 0.1, burst: 1 }, 10)
    buckets.spend('a', 0)
    expect(buckets.spend('a', 0)).toEqual({ ok: false, retryAfterSeconds: 10 })
  })

  it('forgets the key used least recently beyond its bound', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 3)
    for (let index = 0; index < 1_000; index += 1) buckets.spend(`k${index}`, 0)
    expect(buckets.keyCount).toBe(3)
    expect(buckets.spend('k999', 0).ok).toBe(false)
  })

  it('refuses a limit that lets nothing through', () => {
    expect(() => new TokenBuckets({ perSecond: 0, burst: 1 }, 1)).toThrow(RangeError)
    expect(() => new TokenBuckets({ perSecond: Number.NaN, burst: 1 }, 1)).toThrow(RangeError)
  })
})

describe('Slots', () => {
  it('holds the limit per key and in all', () => {
    const slots = new Slots({ total: 3, perKey: 2 })
    expect(['a', 'a', 'a', 'b', 'c'].map((key) => slots.tryTake(key))).toEqual([true, true, false, true, false])
    slots.release('a')
    expect(slots.tryTake('c')).toBe(true)
    expect(slots.takenCount).toBe(3)
  })

  it('notices a release that nobody took', () => {
    expect(() => new Slots({ total: 1, perKey: 1 }).release('a')).toThrow(RangeError)
  })
})

describe('Limits', () => {
  const clock = { nowMs: () => 0, monotonicMs: () => 0 }
  const one = { total: 1, perKey: 1 }

  it('gives the running slot back while a request waits', async () => {
    const limits = createLimits({ ...DEFAULT_LIMITS, statements: one, waiting: one }, clock)
    const permit = limits.enter('agent', 'statement')
    expect(() => limits.enter('agent', 'statement')).toThrow('too many concurrent requests')
    const waited = await permit.whileWaiting(async () => {
      const other = limits.enter('agent', 'statement')
      expect(await other.whileWaiting(async () => 'never')).toBe(undefined)
      other.release()
      return 'waited'
    })
    expect(waited).toBe('waited')
    permit.release()
    limits.enter('agent', 'statement').release()
  })

  it('keeps room for operators however busy the agents are', () => {
    const limits = createLimits({ ...DEFAULT_LIMITS, statements: one }, clock)
    limits.enter('agent', 'statement')
    expect(() => limits.enter('agent', 'statement')).toThrow()
    limits.enter('admin', 'operation').release()
  })
})

describe('addressKey', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['', ''],
  ])('counts %s as %s', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })
})
