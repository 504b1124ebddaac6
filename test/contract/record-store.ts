import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RecordInput, RecordStore } from '#lib/ports/index.ts'
import { MAX_RECORD_BYTES } from '#lib/ports/index.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

import { create, fillWith, newPartition, type RecordSubject, readAll, rejects, sorts } from './record-cases.ts'
import { recordQueryCases } from './record-queries.ts'
import { recordTransactionCases } from './record-transactions.ts'

export interface OpenedRecordStore {
  readonly store: RecordStore
  close(): Promise<void>
}

/** 2100-01-01: a store that also removes by its own clock what has expired has no reason to in the middle of a test. */
const START_MS = 4_102_444_800_000
const START_S = START_MS / 1_000

export function recordStoreContract(name: string, open: (clock: FixedClock) => Promise<OpenedRecordStore>): void {
  describe(`record store: ${name}`, () => {
    const clock = createFixedClock(START_MS)
    let opened: OpenedRecordStore
    let store: RecordStore
    beforeAll(async () => {
      opened = await open(clock)
      store = opened.store
    })
    afterAll(() => opened.close())

    const subject: RecordSubject = { clock, store: () => store }
    const fill = (partition: string, keys: readonly string[]) => fillWith(store, partition, keys)

    describe('one record', () => {
      it('returns what was created, with version 1 and everything it carried', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        const record: RecordInput = {
          key,
          body: { text: 'ü💾\u0000', list: [1, 2.5, null, true], nested: { empty: {} } },
          indexes: { index1: { partition: `${key.partition}/1`, sort: 's1' }, index2: { partition: 'p2', sort: 's2' } },
          expiresAtS: START_S + 3_600,
        }
        expect(await store.write(create(record))).toBe(1)
        expect(await store.find(key)).toEqual({ ...record, version: 1 })
      })

      it('finds nothing under a key that was never written', async () => {
        expect(await store.find({ partition: newPartition(), sort: 'a' })).toBeUndefined()
      })

      it('refuses a second create and keeps the first', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        await store.write(create({ key, body: { first: true } }))
        await rejects(store.write(create({ key, body: { first: false } })), 'RECORD_EXISTS')
        expect((await store.find(key))?.body).toEqual({ first: true })
      })

      it('replaces the expected version only, as a whole', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        const indexes = { index1: { partition: key.partition, sort: 'x' } }
        await store.write(create({ key, body: { a: 1, b: 2 }, indexes, expiresAtS: START_S + 60 }))
        expect(await store.write({ kind: 'replace', record: { key, body: { a: 3 } }, expectedVersion: 1 })).toBe(2)
        await rejects(store.write({ kind: 'replace', record: { key, body: {} }, expectedVersion: 1 }), 'RECORD_CHANGED')
        expect(await store.find(key)).toEqual({ key, body: { a: 3 }, version: 2 })
      })

      it('does not replace what is absent', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        await rejects(store.write({ kind: 'replace', record: { key, body: {} }, expectedVersion: 1 }), 'RECORD_CHANGED')
        expect(await store.find(key)).toBeUndefined()
      })

      it('deletes the expected version only, and a new record begins at version 1 again', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        await store.write(create({ key, body: {} }))
        await rejects(store.write({ kind: 'delete', key, expectedVersion: 2 }), 'RECORD_CHANGED')
        expect(await store.write({ kind: 'delete', key, expectedVersion: 1 })).toBe(0)
        await rejects(store.write({ kind: 'delete', key, expectedVersion: 1 }), 'RECORD_CHANGED')
        expect(await store.write(create({ key, body: {} }))).toBe(1)
      })

      it('checks a version, or absence with 0, and changes nothing', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        await store.write({ kind: 'check', key, expectedVersion: 0 })
        await rejects(store.write({ kind: 'check', key, expectedVersion: 1 }), 'RECORD_CHANGED')
        await store.write(create({ key, body: {} }))
        await store.write({ kind: 'check', key, expectedVersion: 1 })
        await rejects(store.write({ kind: 'check', key, expectedVersion: 0 }), 'RECORD_CHANGED')
        expect((await store.find(key))?.version).toBe(1)
      })

      it('keeps a body apart from what the caller does with it later', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        const body = { list: [1] }
        const written = store.write(create({ key, body }))
        body.list.push(2)
        await written
        expect((await store.find(key))?.body).toEqual({ list: [1] })
      })
    })

    describe('refusals', () => {
      const invalid: readonly [string, (partition: string) => Promise<unknown>][] = [
        ['an empty partition', () => store.find({ partition: '', sort: 'a' })],
        ['an empty sort key', (partition) => store.write(create({ key: { partition, sort: '' }, body: {} }))],
        ['a key over 1,024 bytes', (partition) => store.find({ partition, sort: 'é'.repeat(512) })],
        ['half a surrogate pair in a key', (partition) => store.find({ partition, sort: '\ud800' })],
        [
          'an index key with an empty part',
          (partition) =>
            store.write(
              create({ key: { partition, sort: 'a' }, body: {}, indexes: { index1: { partition: 'x', sort: '' } } }),
            ),
        ],
        [
          'NaN in a body',
          (partition) => store.write(create({ key: { partition, sort: 'a' }, body: { x: Number.NaN } })),
        ],
        [
          'a broken expiry',
          (partition) => store.write(create({ key: { partition, sort: 'a' }, body: {}, expiresAtS: 1.5 })),
        ],
        ['an empty transaction', () => store.transact([])],
        [
          '26 writes in a transaction',
          (partition) =>
            store.transact(
              Array.from({ length: 26 }, (_, n) => create({ key: { partition, sort: `${n}` }, body: {} })),
            ),
        ],
        [
          'two writes on one record in a transaction',
          (partition) =>
            store.transact([
              create({ key: { partition, sort: 'a' }, body: {} }),
              { kind: 'check', key: { partition, sort: 'a' }, expectedVersion: 0 },
            ]),
        ],
        ['a page of 0 records', (partition) => store.query({ partition, limit: 0 })],
        ['a page of 1,001 records', (partition) => store.query({ partition, limit: 1_001 })],
      ]
      it.each(invalid)('refuses %s', async (_, attempt) => {
        const partition = newPartition()
        await rejects(attempt(partition), 'RECORD_INVALID')
        expect(await readAll(store, { partition })).toEqual([])
      })

      it('keeps a record of the largest size and refuses one beyond it', async () => {
        const partition = newPartition()
        const sized = (sort: string, sizeBytes: number) => {
          const overhead = Buffer.byteLength(partition) + Buffer.byteLength(sort) + Buffer.byteLength('{"x":""}')
          return create({ key: { partition, sort }, body: { x: 'x'.repeat(sizeBytes - overhead) } })
        }
        await store.write(sized('a', MAX_RECORD_BYTES))
        await rejects(store.write(sized('b', MAX_RECORD_BYTES + 1)), 'RECORD_TOO_LARGE')
        expect(sorts(await readAll(store, { partition }))).toEqual(['a'])
      })
    })

    describe('keys', () => {
      it('keeps hostile keys apart and finds each one again', async () => {
        const partition = newPartition()
        const hostile = [
          "'; DROP TABLE record; --",
          '%',
          '_',
          '*',
          '\\',
          '"',
          'a\u0000b',
          'a\u0000c',
          '\u0000',
          ' a',
          'a ',
          'A',
          'a',
          'é',
          'e\u0301',
          '\u202e',
          '\ufffd',
          '\uffff',
          '💾',
          '../..',
          '\n',
          'x'.repeat(900),
        ]
        await fill(partition, hostile)
        for (const sort of hostile) {
          expect((await store.find({ partition, sort }))?.key).toEqual({ partition, sort })
          expect(sorts(await readAll(store, { partition, sortFrom: sort, sortTo: sort }))).toEqual([sort])
        }
        expect(new Set(sorts(await readAll(store, { partition }))).size).toBe(hostile.length)
      })

      it('orders by UTF-8 bytes, where UTF-16 would differ', async () => {
        const partition = newPartition()
        const inByteOrder = ['A', 'Z', 'a', 'aa', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f4be}']
        await fill(partition, [...inByteOrder].reverse())
        expect(sorts(await readAll(store, { partition }))).toEqual(inByteOrder)
        expect(sorts(await readAll(store, { partition, descending: true }))).toEqual([...inByteOrder].reverse())
        expect(sorts(await readAll(store, { partition, sortFrom: '\ue000', sortTo: '\u{10000}' }))).toEqual([
          '\ue000',
          '\uffff',
          '\u{10000}',
        ])
      })

      it('does not mix partitions of which one begins like the other', async () => {
        const partition = newPartition()
        await fill(partition, ['b'])
        await fill(`${partition}b`, ['c'])
        expect(sorts(await readAll(store, { partition }))).toEqual(['b'])
      })
    })

    recordQueryCases(subject)

    describe('expiry', () => {
      it('hides a record from the second it expires, everywhere, before anything sweeps it', async () => {
        const partition = newPartition()
        const key = { partition, sort: 'a' }
        const expiresAtS = Math.floor(clock.nowMs() / 1_000) + 10
        await store.write(create({ key, body: {}, indexes: { index1: { partition, sort: 'i' } }, expiresAtS }))
        clock.advance(9_999)
        expect((await store.find(key))?.version).toBe(1)
        clock.advance(1)
        expect(await store.find(key)).toBeUndefined()
        expect(await readAll(store, { partition })).toEqual([])
        expect(await readAll(store, { partition, index: 'index1' })).toEqual([])
        await rejects(store.write({ kind: 'replace', record: { key, body: {} }, expectedVersion: 1 }), 'RECORD_CHANGED')
        await rejects(store.write({ kind: 'delete', key, expectedVersion: 1 }), 'RECORD_CHANGED')
        await store.write({ kind: 'check', key, expectedVersion: 0 })
      })

      it('lets a new record take the place of an expired one, from version 1', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        const expiresAtS = Math.floor(clock.nowMs() / 1_000) + 5
        await store.write(create({ key, body: { old: true }, expiresAtS }))
        await store.write({ kind: 'replace', record: { key, body: { old: true }, expiresAtS }, expectedVersion: 1 })
        clock.advance(5_000)
        expect(await store.write(create({ key, body: { old: false } }))).toBe(1)
        expect(await store.find(key)).toEqual({ key, body: { old: false }, version: 1 })
      })

      it('fills pages past expired records', async () => {
        const partition = newPartition()
        const expiresAtS = Math.floor(clock.nowMs() / 1_000) + 5
        const keys = Array.from({ length: 30 }, (_, n) => String(n).padStart(2, '0'))
        await Promise.all(
          keys.map((sort, n) =>
            store.write(create({ key: { partition, sort }, body: {}, ...(n % 3 > 0 && { expiresAtS }) })),
          ),
        )
        clock.advance(5_000)
        expect(sorts(await readAll(store, { partition, limit: 4 }))).toEqual(keys.filter((_, n) => n % 3 === 0))
      })
    })

    recordTransactionCases(subject)
  })
}
