/** What every record store promises: nothing here is more than DynamoDB can do. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ErrorCode } from '#lib/kernel/index.ts'
import type { RecordInput, RecordQuery, RecordStore, RecordWrite, StoredRecord } from '#lib/ports/index.ts'
import { MAX_RECORD_BYTES } from '#lib/ports/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock, FIXED_START_MS } from '#test/support/fixed-clock.ts'

export interface OpenedRecordStore {
  readonly store: RecordStore
  close(): Promise<void>
}

const START_S = FIXED_START_MS / 1_000

/** Every page of a query; a page may be short and still be followed by another. */
export async function readAll(store: RecordStore, query: RecordQuery): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  let cursor: string | undefined
  do {
    const page = await store.query({ ...query, ...(cursor !== undefined && { cursor }) })
    records.push(...page.records)
    cursor = page.cursor
  } while (cursor !== undefined)
  return records
}

export function recordStoreContract(name: string, open: (clock: FixedClock) => Promise<OpenedRecordStore>): void {
  describe(`record store: ${name}`, () => {
    const clock = createFixedClock()
    let opened: OpenedRecordStore
    let store: RecordStore
    beforeAll(async () => {
      opened = await open(clock)
      store = opened.store
    })
    afterAll(() => opened.close())

    const newPartition = () => `test#${randomUUID()}`
    const create = (record: RecordInput): RecordWrite => ({ kind: 'create', record })
    const rejects = (promise: Promise<unknown>, code: ErrorCode) =>
      expect(promise).rejects.toMatchObject({ name: 'BackstopError', code })
    const sorts = (records: readonly StoredRecord[]) => records.map((record) => record.key.sort)
    const fill = async (partition: string, keys: readonly string[]) => {
      await Promise.all(keys.map((sort) => store.write(create({ key: { partition, sort }, body: {} }))))
    }

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

    describe('queries', () => {
      it('bounds by prefix, from, to and both together, inclusively', async () => {
        const partition = newPartition()
        await fill(partition, ['a', 'b', 'b#1', 'b#2', 'b#\u{10ffff}', 'c', 'd'])
        const select = async (query: Omit<RecordQuery, 'partition'>) =>
          sorts(await readAll(store, { partition, ...query }))
        expect(await select({ sortPrefix: 'b#' })).toEqual(['b#1', 'b#2', 'b#\u{10ffff}'])
        expect(await select({ sortFrom: 'c' })).toEqual(['c', 'd'])
        expect(await select({ sortTo: 'b' })).toEqual(['a', 'b'])
        expect(await select({ sortFrom: 'b', sortTo: 'b#2', descending: true })).toEqual(['b#2', 'b#1', 'b'])
        expect(await select({ sortFrom: 'd', sortTo: 'a' })).toEqual([])
        expect(await select({ sortPrefix: 'zzz' })).toEqual([])
      })

      it('bounds inside a prefix, and pages there', async () => {
        const partition = newPartition()
        await fill(partition, ['a', 'b', 'b#1', 'b#2', 'b#3', 'b$', 'c'])
        const select = async (query: Omit<RecordQuery, 'partition'>) =>
          sorts(await readAll(store, { partition, limit: 1, ...query }))
        expect(await select({ sortPrefix: 'b#' })).toEqual(['b#1', 'b#2', 'b#3'])
        expect(await select({ sortPrefix: 'b#', sortFrom: 'b#2' })).toEqual(['b#2', 'b#3'])
        expect(await select({ sortPrefix: 'b#', sortTo: 'b#2', descending: true })).toEqual(['b#2', 'b#1'])
        expect(await select({ sortPrefix: 'b#', sortFrom: 'a', sortTo: 'c' })).toEqual(['b#1', 'b#2', 'b#3'])
        expect(await select({ sortPrefix: 'b#', sortFrom: 'b$' })).toEqual([])
        expect(await select({ sortPrefix: 'b#', sortTo: 'b' })).toEqual([])
      })

      it.each(['index1', 'index2'] as const)('follows a record through %s as it changes', async (index) => {
        const partition = newPartition()
        const at = (sort: string) => ({ [index]: { partition, sort } })
        const key = { partition: newPartition(), sort: 'a' }
        const listed = async () => sorts(await readAll(store, { partition, index }))
        await store.write(create({ key, body: {}, indexes: at('2') }))
        await store.write(create({ key: { ...key, sort: 'b' }, body: {}, indexes: at('1') }))
        await store.write(create({ key: { ...key, sort: 'c' }, body: {} }))
        await eventually(async () => (await listed()).join() === 'b,a')
        await store.write({ kind: 'replace', record: { key, body: {}, indexes: at('0') }, expectedVersion: 1 })
        await eventually(async () => (await listed()).join() === 'a,b')
        await store.write({ kind: 'replace', record: { key, body: {} }, expectedVersion: 2 })
        await eventually(async () => (await listed()).join() === 'b')
        expect(sorts(await readAll(store, { partition, index, sortPrefix: '1', descending: true }))).toEqual(['b'])
      })

      it('pages through 2,600 records by key and by index, each once, in order, both ways', async () => {
        const partition = newPartition()
        const expected = Array.from({ length: 2_600 }, (_, n) => String(n).padStart(5, '0'))
        for (let start = 0; start < expected.length; start += 200) {
          await Promise.all(
            expected.slice(start, start + 200).map((sort, n) =>
              store.write(
                create({
                  key: { partition, sort },
                  body: {},
                  indexes: { index1: { partition, sort: `same-${(start + n) % 3}` } },
                }),
              ),
            ),
          )
        }
        expect(sorts(await readAll(store, { partition, limit: 1_000 }))).toEqual(expected)
        expect(sorts(await readAll(store, { partition, limit: 77, descending: true }))).toEqual([...expected].reverse())
        const byIndex = await eventually(async () => {
          const records = await readAll(store, { partition, index: 'index1', limit: 333 })
          return records.length >= expected.length ? records : undefined
        })
        expect(sorts(byIndex).sort()).toEqual(expected)
        const groups = byIndex.map((record) => record.indexes?.index1?.sort)
        expect(groups).toEqual([...groups].sort())
      })

      it('returns large records over several pages', async () => {
        const partition = newPartition()
        const keys = Array.from({ length: 8 }, (_, n) => `${n}`)
        for (const sort of keys)
          await store.write(create({ key: { partition, sort }, body: { x: 'x'.repeat(300_000) } }))
        expect(sorts(await readAll(store, { partition, limit: 1_000 }))).toEqual(keys)
      })

      it('goes on after the cursor although the record there is gone and others came', async () => {
        const partition = newPartition()
        await fill(partition, ['a', 'b', 'c', 'd'])
        const first = await store.query({ partition, limit: 2 })
        expect(sorts(first.records)).toEqual(['a', 'b'])
        await store.write({ kind: 'delete', key: { partition, sort: 'b' }, expectedVersion: 1 })
        await fill(partition, ['aa', 'bb'])
        expect(sorts((await store.query({ partition, cursor: first.cursor as string })).records)).toEqual([
          'bb',
          'c',
          'd',
        ])
      })

      it('refuses a cursor of another query and one that was made up', async () => {
        const partition = newPartition()
        await fill(partition, ['a', 'b', 'c'])
        const { cursor } = await store.query({ partition, limit: 1 })
        expect(cursor).toBeTypeOf('string')
        const others: RecordQuery[] = [
          { partition: `${partition}x` },
          { partition, descending: true },
          { partition, sortFrom: 'b' },
          { partition, sortTo: 'b' },
          { partition, sortPrefix: 'b' },
          { partition, index: 'index1' },
        ]
        for (const other of others) await rejects(store.query({ ...other, cursor: cursor as string }), 'CURSOR_INVALID')
        for (const madeUp of [
          '',
          'x',
          '!!',
          'W10',
          `${cursor}A`,
          Buffer.from('["a"]').toString('base64url'),
          'A'.repeat(20_000),
        ]) {
          await rejects(store.query({ partition, cursor: madeUp }), 'CURSOR_INVALID')
        }
      })
    })

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

    describe('transactions', () => {
      it('does all writes of the largest transaction', async () => {
        const partition = newPartition()
        const keys = Array.from({ length: 25 }, (_, n) => `k${String(n).padStart(2, '0')}`)
        await store.transact(keys.map((sort) => create({ key: { partition, sort }, body: {} })))
        expect(sorts(await readAll(store, { partition }))).toEqual(keys)
      })

      it('does none of them when one fails, and says why', async () => {
        const partition = newPartition()
        await fill(partition, ['exists', 'replaced', 'deleted'])
        const writes: RecordWrite[] = [
          create({ key: { partition, sort: 'new' }, body: {} }),
          { kind: 'replace', record: { key: { partition, sort: 'replaced' }, body: { x: 1 } }, expectedVersion: 1 },
          { kind: 'delete', key: { partition, sort: 'deleted' }, expectedVersion: 1 },
        ]
        await rejects(
          store.transact([...writes, create({ key: { partition, sort: 'exists' }, body: {} })]),
          'RECORD_EXISTS',
        )
        await rejects(
          store.transact([...writes, { kind: 'check', key: { partition, sort: 'exists' }, expectedVersion: 2 }]),
          'RECORD_CHANGED',
        )
        const records = await readAll(store, { partition })
        expect(records.map(({ key, version }) => `${key.sort} ${version}`)).toEqual([
          'deleted 1',
          'exists 1',
          'replaced 1',
        ])
      })

      it('has its effect once for one token', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        await store.write(create({ key, body: { n: 0 } }))
        const token = randomUUID()
        const writes: RecordWrite[] = [{ kind: 'replace', record: { key, body: { n: 1 } }, expectedVersion: 1 }]
        await store.transact(writes, token)
        await store.transact(writes, token)
        expect(await store.find(key)).toMatchObject({ body: { n: 1 }, version: 2 })
        await rejects(store.transact(writes, randomUUID()), 'RECORD_CHANGED')
      })

      it('has its effect once for one token, seconds later too, and whatever became of the record', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        const token = randomUUID()
        const writes = [create({ key, body: { n: 1 } })]
        await store.transact(writes, token)
        clock.advance(2_000)
        await store.transact(writes, token)
        await store.write({ kind: 'replace', record: { key, body: { n: 2 } }, expectedVersion: 1 })
        await store.transact(writes, token)
        await store.write({ kind: 'delete', key, expectedVersion: 2 })
        clock.advance(500_000)
        await store.transact(writes, token)
        expect(await store.find(key)).toBeUndefined()
      })

      it('leaves a token free when it fails', async () => {
        const partition = newPartition()
        const token = randomUUID()
        const writes: RecordWrite[] = [
          create({ key: { partition, sort: 'a' }, body: {} }),
          { kind: 'check', key: { partition, sort: 'b' }, expectedVersion: 1 },
        ]
        await rejects(store.transact(writes, token), 'RECORD_CHANGED')
        await fill(partition, ['b'])
        await store.transact(writes, token)
        expect(sorts(await readAll(store, { partition }))).toEqual(['a', 'b'])
      })

      it('takes an expired record for absent', async () => {
        const partition = newPartition()
        const expiresAtS = Math.floor(clock.nowMs() / 1_000) + 5
        for (const sort of ['a', 'b', 'c'])
          await store.write(create({ key: { partition, sort }, body: {}, expiresAtS }))
        clock.advance(5_000)
        await rejects(
          store.transact([{ kind: 'delete', key: { partition, sort: 'a' }, expectedVersion: 1 }]),
          'RECORD_CHANGED',
        )
        await store.transact([
          { kind: 'check', key: { partition, sort: 'a' }, expectedVersion: 0 },
          create({ key: { partition, sort: 'b' }, body: { fresh: true } }),
        ])
        expect(await readAll(store, { partition })).toEqual([
          { key: { partition, sort: 'b' }, body: { fresh: true }, version: 1 },
        ])
      })

      it('refuses a token that stood for other writes', async () => {
        const partition = newPartition()
        const token = randomUUID()
        await store.transact([create({ key: { partition, sort: 'a' }, body: {} })], token)
        await rejects(store.transact([create({ key: { partition, sort: 'b' }, body: {} })], token), 'RECORD_INVALID')
        expect(sorts(await readAll(store, { partition }))).toEqual(['a'])
      })
    })

    describe('races', () => {
      it('gives 20 concurrent creates of one key one winner', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        const results = await Promise.allSettled(
          Array.from({ length: 20 }, (_, n) => store.write(create({ key, body: { n } }))),
        )
        const winners = results.flatMap((result, n) => (result.status === 'fulfilled' ? [n] : []))
        expect(winners).toHaveLength(1)
        expect((await store.find(key))?.body).toEqual({ n: winners[0] })
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'RECORD_EXISTS' })
        }
      })

      it('loses no increment among 10 writers that compare and set', async () => {
        const key = { partition: newPartition(), sort: 'a' }
        await store.write(create({ key, body: { count: 0 } }))
        const increment = async (): Promise<void> => {
          const record = (await store.find(key)) as StoredRecord
          const body = { count: (record.body['count'] as number) + 1 }
          try {
            await store.write({ kind: 'replace', record: { key, body }, expectedVersion: record.version })
          } catch (error) {
            expect(error).toMatchObject({ code: 'RECORD_CHANGED' })
            await increment()
          }
        }
        await Promise.all(Array.from({ length: 10 }, increment))
        expect(await store.find(key)).toMatchObject({ body: { count: 10 }, version: 11 })
      })

      it('fails one write of many that run together, and that one alone', async () => {
        const partition = newPartition()
        await fill(partition, ['5'])
        const results = await Promise.allSettled([
          ...Array.from({ length: 10 }, (_, n) => store.write(create({ key: { partition, sort: `${n}` }, body: {} }))),
          store.transact([
            create({ key: { partition, sort: 'x' }, body: {} }),
            { kind: 'check', key: { partition, sort: 'none' }, expectedVersion: 9 },
          ]),
        ])
        expect(results.flatMap((result, n) => (result.status === 'rejected' ? [n] : []))).toEqual([5, 10])
        expect(sorts(await readAll(store, { partition }))).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
      })

      it('lets one of two transactions win that touch the same records in opposite order', async () => {
        const partition = newPartition()
        await fill(partition, ['a', 'b'])
        const writes = ['a', 'b'].map(
          (sort): RecordWrite => ({
            kind: 'replace',
            record: { key: { partition, sort }, body: {} },
            expectedVersion: 1,
          }),
        )
        const results = await Promise.allSettled([store.transact(writes), store.transact([...writes].reverse())])
        expect(results.filter((result) => result.status === 'fulfilled').length).toBeLessThanOrEqual(1)
        const versions = (await readAll(store, { partition })).map((record) => record.version)
        expect(versions[0]).toBe(versions[1])
      })
    })
  })
}
