import { describe, expect, it } from 'vitest'
import { type Scenario, simulate } from '../../bench/scale-model.ts'
import { EventQueue, TokenBucket } from '../../bench/scale-parts.ts'

const QUIET: Scenario = {
  name: 'quiet',
  agents: 100,
  thinkS: 10,
  start: 'spread',
  durationS: 200,
  api: { perSecond: 1_000, burst: 1_000 },
  maxInstances: 100,
  database: { maxConnections: 100, cores: 8 },
  records: { shards: 16, timelineShards: 4, warmWrites: 40_000 },
}
const COSTS = {
  cpuMs: 2,
  begin: { table: 2, open: 2, unsealed: 1, timeline: 1 },
  finish: { table: 2, open: 2, unsealed: 1, timeline: 0 },
  seal: { table: 4, open: 0, unsealed: 2, timeline: 1 },
}
const LATENCIES = {
  coldStartMs: 900,
  connectMs: 60,
  authorizerMs: 12,
  transactionMs: 12,
  roundTripMs: 1,
  databaseCpuMs: 1,
}
const run = (changes: Partial<Scenario> = {}, seed = 1) => simulate({ ...QUIET, ...changes }, COSTS, LATENCIES, seed)
const refusals = (outcome: ReturnType<typeof run>) => Object.values(outcome.refused).reduce((sum, one) => sum + one, 0)

describe('the model of many agents', () => {
  it('offers what the agents ask after their think times, and answers all of it when nothing is in short supply', () => {
    const outcome = run()
    expect(outcome.offeredPerSecond).toBeGreaterThan(9)
    expect(outcome.offeredPerSecond).toBeLessThan(11)
    expect(refusals(outcome)).toBe(0)
    const warm = [...outcome.latenciesMs].sort((a, b) => a - b)[Math.floor(outcome.latenciesMs.length / 2)] ?? 0
    // Authorizer, intent, database, two round trips, processor, outcome: 12 + 12 + 1 + 2 + 2 + 12.
    expect(warm).toBeGreaterThan(37)
    expect(warm).toBeLessThan(48)
    expect(outcome.instances).toBeLessThan(15)
  })

  it('gives the same outcome for the same seed, and another for another', () => {
    expect(run()).toEqual(run())
    expect(run({}, 2).latenciesMs).not.toEqual(run().latenciesMs)
  })

  it.each([
    ['api', { api: { perSecond: 2, burst: 2 } }],
    ['lambda', { maxInstances: 0 }],
    ['connections', { database: { maxConnections: 0, cores: 8 } }],
    ['records', { records: { shards: 16, timelineShards: 4, warmWrites: 0 } }],
  ] as const)('refuses by %s when that is what is short', (why, changes) => {
    const outcome = run(changes)
    expect(outcome.refused[why]).toBeGreaterThan(100)
    expect(outcome.refused[why]).toBe(refusals(outcome))
  })

  it('answers no more than the partitions take', () => {
    const shards = { shards: 1, timelineShards: 4, warmWrites: 40_000 }
    const database = { maxConnections: 2_000, cores: 8 }
    const outcome = run({ agents: 4_000, maxInstances: 2_000, durationS: 60, database, records: shards })
    expect(outcome.throttledWrites).toBeGreaterThan(1_000)
    expect(outcome.answeredPerSecond).toBeLessThan(1_000 / 2)
  })
})

describe('the parts of the model', () => {
  it('runs events by time, and equal times in the order they were added', () => {
    const events = new EventQueue()
    const ran: string[] = []
    for (const [atMs, name] of [
      [5, 'e'],
      [1, 'a'],
      [3, 'c'],
      [1, 'b'],
      [4, 'd'],
      [9, 'never'],
    ] as const)
      events.at(atMs, () => ran.push(name))
    events.runUntil(8)
    expect(ran).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('fills a bucket as time passes, up to its burst', () => {
    const bucket = new TokenBucket(10, 5)
    expect([bucket.take(0, 5), bucket.take(0, 1), bucket.take(100, 1), bucket.take(100, 1)]).toEqual([
      true,
      false,
      true,
      false,
    ])
    expect([bucket.take(60_000, 6), bucket.take(60_000, 5)]).toEqual([false, true])
  })
})
