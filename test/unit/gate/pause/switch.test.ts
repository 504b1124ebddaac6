import { expect, test } from 'vitest'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { openPauseSwitch } from '#lib/gate/pause/index.ts'
import type { RecordStore } from '#lib/ports/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

function openSwitch() {
  const clock = createFixedClock()
  const sqlite = openSqliteRecordStore({ path: ':memory:', clock })
  const counter = { reads: 0, beforeWrite: async () => {}, isBroken: false }
  const store: RecordStore = {
    find(key) {
      counter.reads += 1
      return counter.isBroken ? Promise.reject(new Error('no route')) : sqlite.find(key)
    },
    query: (query) => sqlite.query(query),
    async write(write) {
      await counter.beforeWrite()
      return sqlite.write(write)
    },
    transact: (writes, token) => sqlite.transact(writes, token),
  }
  const reopen = () => openPauseSwitch({ store, clock })
  return { clock, sqlite, counter, reopen, pauseSwitch: reopen() }
}

test('before anybody paused, everything runs', async () => {
  const { pauseSwitch } = openSwitch()
  expect(await pauseSwitch.current()).toEqual({
    paused: false,
    reason: '',
    changedBy: '',
    changedAt: '1970-01-01T00:00:00.000Z',
    blocksSafe: false,
  })
})

test('a pause says who, when and why, is seen by its own instance at once and by another within a second', async () => {
  const { pauseSwitch, reopen, clock } = openSwitch()
  const other = reopen()
  await other.current()
  await pauseSwitch.current()
  const paused = await pauseSwitch.pause('operator', 'suspicious deletes', true)
  expect(paused).toEqual({
    paused: true,
    reason: 'suspicious deletes',
    changedBy: 'operator',
    changedAt: '2027-01-15T08:00:00.000Z',
    blocksSafe: true,
  })
  expect(await pauseSwitch.current()).toEqual(paused)
  expect((await other.current()).paused).toBe(false)
  expect(await other.read()).toEqual(paused)
  clock.advance(1_000)
  expect(await other.current()).toEqual(paused)
})

test('a restart does not resume', async () => {
  const { pauseSwitch, reopen } = openSwitch()
  await pauseSwitch.pause('operator', 'stop', false)
  expect(await reopen().current()).toMatchObject({ paused: true })
  await reopen().resume('operator', 'checked')
  expect(await reopen().current()).toMatchObject({ paused: false, blocksSafe: false, reason: 'checked' })
})

test('within a second one read of the store serves everybody, and then the next one is made', async () => {
  const { pauseSwitch, clock, counter } = openSwitch()
  await Promise.all(Array.from({ length: 100 }, () => pauseSwitch.current()))
  clock.advance(999)
  await pauseSwitch.current()
  expect(counter.reads).toBe(1)
  clock.advance(1)
  await pauseSwitch.current()
  expect(counter.reads).toBe(2)
})

test('a read right before an effect always asks the store', async () => {
  const { pauseSwitch, counter } = openSwitch()
  await pauseSwitch.read()
  await pauseSwitch.read()
  expect(counter.reads).toBe(2)
})

test('while the store cannot be read nothing is known, and what was read before is not stretched', async () => {
  const { pauseSwitch, clock, counter } = openSwitch()
  await pauseSwitch.current()
  counter.isBroken = true
  clock.advance(1_000)
  await expect(pauseSwitch.current()).rejects.toMatchObject({ code: 'METADATA_UNREACHABLE' })
  await expect(pauseSwitch.read()).rejects.toMatchObject({ code: 'METADATA_UNREACHABLE' })
  counter.isBroken = false
  expect((await pauseSwitch.current()).paused).toBe(false)
})

test('a record that is not understood is an error and no permission to run', async () => {
  const { pauseSwitch, sqlite } = openSwitch()
  await sqlite.write({ kind: 'create', record: { key: { partition: 'pause', sort: 'state' }, body: { paused: 'no' } } })
  await expect(pauseSwitch.current()).rejects.toMatchObject({ code: 'METADATA_UNREACHABLE' })
})

test('a pause goes through although someone else changes the record at the same moment', async () => {
  const { pauseSwitch, reopen, counter } = openSwitch()
  const other = reopen()
  let isFirst = true
  counter.beforeWrite = async () => {
    if (!isFirst) return
    isFirst = false
    await other.resume('second-operator', 'all clear')
  }
  await pauseSwitch.pause('operator', 'stop', false)
  expect(await other.read()).toMatchObject({ paused: true, reason: 'stop' })
})

test('a resume does not lift a pause that came meanwhile', async () => {
  const { pauseSwitch, reopen, counter } = openSwitch()
  const other = reopen()
  await pauseSwitch.pause('operator', 'stop', false)
  let isFirst = true
  counter.beforeWrite = async () => {
    if (!isFirst) return
    isFirst = false
    await other.pause('second-operator', 'worse than thought', true)
  }
  await expect(pauseSwitch.resume('operator', 'all clear')).rejects.toMatchObject({ code: 'RECORD_CHANGED' })
  expect(await pauseSwitch.read()).toMatchObject({ paused: true, reason: 'worse than thought', blocksSafe: true })
})

test('an emergency stop does not fail for the length of its reason', async () => {
  const { pauseSwitch } = openSwitch()
  const paused = await pauseSwitch.pause('operator', 'x'.repeat(1_000_000), false)
  expect(paused.reason).toHaveLength(1_000)
})

test('refuses a copy that outlives a second', () => {
  const { sqlite, clock } = openSwitch()
  expect(() => openPauseSwitch({ store: sqlite, clock, cacheMs: 1_001 })).toThrow('within 1000 ms')
})
