/** Transactions of a record store, and what races for one record. */
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { RecordWrite, StoredRecord } from '#lib/ports/index.ts'
import { create, fillWith, newPartition, type RecordSubject, readAll, rejects, sorts } from './record-cases.ts'

export function recordTransactionCases(subject: RecordSubject): void {
  describe('transactions', () => {
    it('does all writes of the largest transaction', async () => {
      const partition = newPartition()
      const keys = Array.from({ length: 25 }, (_, n) => `k${String(n).padStart(2, '0')}`)
      await subject.store().transact(keys.map((sort) => create({ key: { partition, sort }, body: {} })))
      expect(sorts(await readAll(subject.store(), { partition }))).toEqual(keys)
    })

    it('does none of them when one fails, and says why', async () => {
      const partition = newPartition()
      await fillWith(subject.store(), partition, ['exists', 'replaced', 'deleted'])
      const writes: RecordWrite[] = [
        create({ key: { partition, sort: 'new' }, body: {} }),
        { kind: 'replace', record: { key: { partition, sort: 'replaced' }, body: { x: 1 } }, expectedVersion: 1 },
        { kind: 'delete', key: { partition, sort: 'deleted' }, expectedVersion: 1 },
      ]
      await rejects(
        subject.store().transact([...writes, create({ key: { partition, sort: 'exists' }, body: {} })]),
        'RECORD_EXISTS',
      )
      await rejects(
        subject
          .store()
          .transact([...writes, { kind: 'check', key: { partition, sort: 'exists' }, expectedVersion: 2 }]),
        'RECORD_CHANGED',
      )
      const records = await readAll(subject.store(), { partition })
      expect(records.map(({ key, version }) => `${key.sort} ${version}`)).toEqual([
        'deleted 1',
        'exists 1',
        'replaced 1',
      ])
    })

    it('has its effect once for one token', async () => {
      const key = { partition: newPartition(), sort: 'a' }
      await subject.store().write(create({ key, body: { n: 0 } }))
      const token = randomUUID()
      const writes: RecordWrite[] = [{ kind: 'replace', record: { key, body: { n: 1 } }, expectedVersion: 1 }]
      await subject.store().transact(writes, token)
      await subject.store().transact(writes, token)
      expect(await subject.store().find(key)).toMatchObject({ body: { n: 1 }, version: 2 })
      await rejects(subject.store().transact(writes, randomUUID()), 'RECORD_CHANGED')
    })

    it('has its effect once for one token, seconds later too, and whatever became of the record', async () => {
      const key = { partition: newPartition(), sort: 'a' }
      const token = randomUUID()
      const writes = [create({ key, body: { n: 1 } })]
      await subject.store().transact(writes, token)
      subject.clock.advance(2_000)
      await subject.store().transact(writes, token)
      await subject.store().write({ kind: 'replace', record: { key, body: { n: 2 } }, expectedVersion: 1 })
      await subject.store().transact(writes, token)
      await subject.store().write({ kind: 'delete', key, expectedVersion: 2 })
      subject.clock.advance(500_000)
      await subject.store().transact(writes, token)
      expect(await subject.store().find(key)).toBeUndefined()
    })

    it('leaves a token free when it fails', async () => {
      const partition = newPartition()
      const token = randomUUID()
      const writes: RecordWrite[] = [
        create({ key: { partition, sort: 'a' }, body: {} }),
        { kind: 'check', key: { partition, sort: 'b' }, expectedVersion: 1 },
      ]
      await rejects(subject.store().transact(writes, token), 'RECORD_CHANGED')
      await fillWith(subject.store(), partition, ['b'])
      await subject.store().transact(writes, token)
      expect(sorts(await readAll(subject.store(), { partition }))).toEqual(['a', 'b'])
    })

    it('takes an expired record for absent', async () => {
      const partition = newPartition()
      const expiresAtS = Math.floor(subject.clock.nowMs() / 1_000) + 5
      for (const sort of ['a', 'b', 'c'])
        await subject.store().write(create({ key: { partition, sort }, body: {}, expiresAtS }))
      subject.clock.advance(5_000)
      await rejects(
        subject.store().transact([{ kind: 'delete', key: { partition, sort: 'a' }, expectedVersion: 1 }]),
        'RECORD_CHANGED',
      )
      await subject
        .store()
        .transact([
          { kind: 'check', key: { partition, sort: 'a' }, expectedVersion: 0 },
          create({ key: { partition, sort: 'b' }, body: { fresh: true } }),
        ])
      expect(await readAll(subject.store(), { partition })).toEqual([
        { key: { partition, sort: 'b' }, body: { fresh: true }, version: 1 },
      ])
    })

    it('refuses a token that stood for other writes', async () => {
      const partition = newPartition()
      const token = randomUUID()
      await subject.store().transact([create({ key: { partition, sort: 'a' }, body: {} })], token)
      await rejects(
        subject.store().transact([create({ key: { partition, sort: 'b' }, body: {} })], token),
        'RECORD_INVALID',
      )
      expect(sorts(await readAll(subject.store(), { partition }))).toEqual(['a'])
    })
  })

  describe('races', () => {
    it('gives 20 concurrent creates of one key one winner', async () => {
      const key = { partition: newPartition(), sort: 'a' }
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, n) => subject.store().write(create({ key, body: { n } }))),
      )
      const winners = results.flatMap((result, n) => (result.status === 'fulfilled' ? [n] : []))
      expect(winners).toHaveLength(1)
      expect((await subject.store().find(key))?.body).toEqual({ n: winners[0] })
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'RECORD_EXISTS' })
      }
    })

    it('loses no increment among 10 writers that compare and set', async () => {
      const key = { partition: newPartition(), sort: 'a' }
      await subject.store().write(create({ key, body: { count: 0 } }))
      const increment = async (): Promise<void> => {
        const record = (await subject.store().find(key)) as StoredRecord
        const body = { count: (record.body['count'] as number) + 1 }
        try {
          await subject.store().write({ kind: 'replace', record: { key, body }, expectedVersion: record.version })
        } catch (error) {
          expect(error).toMatchObject({ code: 'RECORD_CHANGED' })
          await increment()
        }
      }
      await Promise.all(Array.from({ length: 10 }, increment))
      expect(await subject.store().find(key)).toMatchObject({ body: { count: 10 }, version: 11 })
    })

    it('fails one write of many that run together, and that one alone', async () => {
      const partition = newPartition()
      await fillWith(subject.store(), partition, ['5'])
      const results = await Promise.allSettled([
        ...Array.from({ length: 10 }, (_, n) =>
          subject.store().write(create({ key: { partition, sort: `${n}` }, body: {} })),
        ),
        subject
          .store()
          .transact([
            create({ key: { partition, sort: 'x' }, body: {} }),
            { kind: 'check', key: { partition, sort: 'none' }, expectedVersion: 9 },
          ]),
      ])
      expect(results.flatMap((result, n) => (result.status === 'rejected' ? [n] : []))).toEqual([5, 10])
      expect(sorts(await readAll(subject.store(), { partition }))).toEqual([
        '0',
        '1',
        '2',
        '3',
        '4',
        '5',
        '6',
        '7',
        '8',
        '9',
      ])
    })

    it('lets one of two transactions win that touch the same records in opposite order', async () => {
      const partition = newPartition()
      await fillWith(subject.store(), partition, ['a', 'b'])
      const writes = ['a', 'b'].map(
        (sort): RecordWrite => ({
          kind: 'replace',
          record: { key: { partition, sort }, body: {} },
          expectedVersion: 1,
        }),
      )
      const results = await Promise.allSettled([
        subject.store().transact(writes),
        subject.store().transact([...writes].reverse()),
      ])
      expect(results.filter((result) => result.status === 'fulfilled').length).toBeLessThanOrEqual(1)
      const versions = (await readAll(subject.store(), { partition })).map((record) => record.version)
      expect(versions[0]).toBe(versions[1])
    })
  })
}
