import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteRecordStore, type SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { RecordInput, RecordWrite } from '#lib/ports/index.ts'
import { type CapacityMeter, meterCapacity } from '#test/support/cloud/capacity-meter.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

let store: SqliteRecordStore
let meter: CapacityMeter
beforeEach(() => {
  store = openSqliteRecordStore({ path: ':memory:', clock: createFixedClock() })
  meter = meterCapacity(store)
})
afterEach(() => store.close())

const key = { partition: 'p', sort: 's' }
const record = (kib: number, indexes?: RecordInput['indexes']): RecordInput => ({
  key,
  body: { x: 'x'.repeat(kib * 1_024 - 200) },
  ...(indexes && { indexes }),
})
const create = (input: RecordInput): RecordWrite => ({ kind: 'create', record: input })
const taken = () => meter.take().map(({ space, partition, writes, reads }) => [space, partition, writes, reads])

describe('units of DynamoDB', () => {
  it('counts begun kibibytes, and twice in a transaction', async () => {
    await meter.write(create(record(1)))
    expect(taken()).toEqual([['table', 'p', 1, 0]])
    await meter.transact([{ kind: 'replace', record: record(3), expectedVersion: 1 }])
    expect(taken()).toEqual([['table', 'p', 6, 0]])
  })

  it('counts the larger of before and after', async () => {
    await meter.write(create(record(4)))
    taken()
    await meter.write({ kind: 'replace', record: record(1), expectedVersion: 1 })
    expect(taken()).toEqual([['table', 'p', 4, 0]])
    await meter.write({ kind: 'delete', key, expectedVersion: 2 })
    expect(taken()).toEqual([['table', 'p', 2, 0]])
  })

  it('counts an entry of an index when it is written, moved and removed', async () => {
    const at = (partition: string, sort: string) => ({ index1: { partition, sort } })
    await meter.write(create(record(2, at('i', 'a'))))
    expect(taken()).toEqual([
      ['table', 'p', 2, 0],
      ['index1', 'i', 2, 0],
    ])
    await meter.write({ kind: 'replace', record: record(2, at('j', 'a')), expectedVersion: 1 })
    expect(taken()).toEqual([
      ['table', 'p', 2, 0],
      ['index1', 'i', 2, 0],
      ['index1', 'j', 2, 0],
    ])
    await meter.write({ kind: 'replace', record: record(1), expectedVersion: 2 })
    expect(taken()).toEqual([
      ['table', 'p', 2, 0],
      ['index1', 'j', 2, 0],
    ])
  })

  it('counts reads by four kibibytes, half of that behind an index', async () => {
    await meter.find(key)
    await meter.write(create(record(9, { index1: { partition: 'i', sort: 'a' } })))
    taken()
    await meter.find(key)
    await meter.query({ partition: 'i', index: 'index1' })
    await meter.query({ partition: 'p' })
    expect(taken()).toEqual([
      ['table', 'p', 0, 6],
      ['index1', 'i', 0, 1.5],
    ])
  })
})
