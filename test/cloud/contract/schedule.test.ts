import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type DynamoRecordStore, openDynamoRecordStore, runScheduled } from '#lib/adapters/aws/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'
import type { Clock, RecordStore } from '#lib/ports/index.ts'
import { accountSettings, createTestTable } from '#test/support/cloud/dynamo.ts'
import { createEventRules } from '#test/support/cloud/event-rules.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { scheduledRunContract } from '../../contract/schedule.ts'

const LEASE_MS = 120_000
const opened: DynamoRecordStore[] = []
let open: (clock: Clock) => RecordStore

beforeAll(async () => {
  const table = await createTestTable(accountSettings(inject('cloudEndpoint')))
  open = (clock) => {
    const records = openDynamoRecordStore({ ...table, clock })
    opened.push(records)
    return records
  }
})
afterAll(() => {
  for (const records of opened) records.close()
})

scheduledRunContract('EventBridge over DynamoDB, every event twice and none waiting for the one before', (failures) =>
  createEventRules(open(systemClock), (name, error) => failures.push(`${name}: ${(error as Error).message}`)),
)

describe('schedule: a run that EventBridge starts', () => {
  const subject = () => {
    const clock = createFixedClock()
    const records = open(clock)
    const name = randomUUID()
    const state = async () => (await records.find({ partition: 'schedule', sort: name }))?.body
    const start = (run: () => Promise<unknown>, occurrence?: string, at: Clock = clock) =>
      runScheduled(records, at, { name, leaseMs: LEASE_MS, ...(occurrence !== undefined && { occurrence }) }, run)
    return { clock, records, name, state, start }
  }
  const nothing = async () => undefined
  const held = () => {
    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const run = async () => {
      begun.resolve()
      await ended.promise
    }
    return { run, begun: begun.promise, end: ended.resolve }
  }

  it('runs once of eight that start at the same time', async () => {
    const { start } = subject()
    const slow = held()
    let runs = 0
    const run = async () => {
      runs++
      await slow.run()
    }
    const starts = Array.from({ length: 8 }, () => start(run))
    const skipped = (await Promise.all(starts.map((one) => Promise.race([one, afterOthers(starts, 7)])))).filter(
      (outcome) => outcome !== undefined && outcome.status === 'skipped',
    )
    expect(skipped).toEqual(Array.from({ length: 7 }, () => ({ status: 'skipped', reason: 'held' })))
    slow.end()
    await Promise.all(starts)
    expect(runs).toBe(1)
  })

  it('frees the task when the lease of a run that was cut off has passed, and not before', async () => {
    const { clock, start } = subject()
    const slow = held()
    const cutOff = start(slow.run)
    await slow.begun
    clock.advance(LEASE_MS - 1)
    expect(await start(nothing)).toEqual({ status: 'skipped', reason: 'held' })
    clock.advance(1)
    expect(await start(nothing)).toEqual({ status: 'ran', value: undefined, isReleased: true })
    slow.end()
    await cutOff
  })

  it('gives back nobody else’s lease', async () => {
    const { clock, start, state } = subject()
    const [slow, second] = [held(), held()]
    const first = start(slow.run)
    await slow.begun
    clock.advance(LEASE_MS)
    const next = start(second.run)
    await second.begun
    slow.end()
    expect(await first).toEqual({ status: 'ran', value: undefined, isReleased: false })
    expect(await start(nothing)).toEqual({ status: 'skipped', reason: 'held' })
    second.end()
    expect(await next).toMatchObject({ isReleased: true })
    expect(await state()).toMatchObject({ runCount: 2, failureCount: 0 })
  })

  it('counts a failed run, throws what it threw, and runs the next time', async () => {
    const { start, state } = subject()
    const fail = async () => {
      throw new Error('no')
    }
    await expect(start(fail)).rejects.toThrow('no')
    await expect(start(fail)).rejects.toThrow('no')
    expect(await state()).toEqual({
      startedAt: '2027-01-15T08:00:00.000Z',
      failedAt: '2027-01-15T08:00:00.000Z',
      runCount: 2,
      failureCount: 2,
      failuresInARow: 2,
    })
    expect(await start(async () => 'done')).toEqual({ status: 'ran', value: 'done', isReleased: true })
    expect(await state()).toMatchObject({ failureCount: 2, failuresInARow: 0, succeededAt: '2027-01-15T08:00:00.000Z' })
  })

  it('does an event that is delivered again only when it failed before', async () => {
    const { start } = subject()
    const fail = async () => {
      throw new Error('no')
    }
    await expect(start(fail, 'event-1')).rejects.toThrow('no')
    expect(await start(nothing, 'event-1')).toMatchObject({ status: 'ran' })
    expect(await start(nothing, 'event-1')).toEqual({ status: 'skipped', reason: 'repeated' })
    expect(await start(nothing, 'event-2')).toMatchObject({ status: 'ran' })
  })

  it('stands still for no clock that was a day ahead when it wrote', async () => {
    const { clock, start } = subject()
    const ahead: Clock = { ...clock, nowMs: () => clock.nowMs() + 86_400_000 }
    const slow = held()
    const wrong = start(slow.run, undefined, ahead)
    await slow.begun
    expect(await start(nothing)).toMatchObject({ status: 'ran' })
    slow.end()
    expect(await wrong).toMatchObject({ isReleased: false })
  })

  it.each([-59_000, 59_000])('keeps to one run although two clocks are %d ms apart', async (skewMs) => {
    const { clock, start } = subject()
    const slow = held()
    const other: Clock = { ...clock, nowMs: () => clock.nowMs() + skewMs }
    const first = start(slow.run, undefined, other)
    await slow.begun
    expect(await start(nothing)).toEqual({ status: 'skipped', reason: 'held' })
    slow.end()
    await first
  })
})

/** Undefined as soon as so many others have ended. */
async function afterOthers(all: readonly Promise<unknown>[], count: number): Promise<undefined> {
  let ended = 0
  await new Promise<void>((resolve) => {
    for (const one of all) void one.then(() => (++ended >= count ? resolve() : undefined))
  })
  return undefined
}
