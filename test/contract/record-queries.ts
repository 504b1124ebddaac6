/** Queries of a record store: ranges, order, pages, indexes. */
import { describe, expect, it } from 'vitest'
import type { RecordQuery } from '#lib/ports/index.ts'
import { eventually } from '#test/support/eventually.ts'
import { create, fillWith, newPartition, type RecordSubject, readAll, rejects, sorts } from './record-cases.ts'

export function recordQueryCases(subject: RecordSubject): void {
  describe('queries', () => {
    it('bounds by prefix, from, to and both together, inclusively', async () => {
      const partition = newPartition()
      await fillWith(subject.store(), partition, ['a', 'b', 'b#1', 'b#2', 'b#\u{10ffff}', 'c', 'd'])
      const select = async (query: Omit<RecordQuery, 'partition'>) =>
        sorts(await readAll(subject.store(), { partition, ...query }))
      expect(await select({ sortPrefix: 'b#' })).toEqual(['b#1', 'b#2', 'b#\u{10ffff}'])
      expect(await select({ sortFrom: 'c' })).toEqual(['c', 'd'])
      expect(await select({ sortTo: 'b' })).toEqual(['a', 'b'])
      expect(await select({ sortFrom: 'b', sortTo: 'b#2', descending: true })).toEqual(['b#2', 'b#1', 'b'])
      expect(await select({ sortFrom: 'd', sortTo: 'a' })).toEqual([])
      expect(await select({ sortPrefix: 'zzz' })).toEqual([])
    })

    it('bounds inside a prefix, and pages there', async () => {
      const partition = newPartition()
      await fillWith(subject.store(), partition, ['a', 'b', 'b#1', 'b#2', 'b#3', 'b$', 'c'])
      const select = async (query: Omit<RecordQuery, 'partition'>) =>
        sorts(await readAll(subject.store(), { partition, limit: 1, ...query }))
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
      const listed = async () => sorts(await readAll(subject.store(), { partition, index }))
      await subject.store().write(create({ key, body: {}, indexes: at('2') }))
      await subject.store().write(create({ key: { ...key, sort: 'b' }, body: {}, indexes: at('1') }))
      await subject.store().write(create({ key: { ...key, sort: 'c' }, body: {} }))
      await eventually(async () => (await listed()).join() === 'b,a')
      await subject.store().write({ kind: 'replace', record: { key, body: {}, indexes: at('0') }, expectedVersion: 1 })
      await eventually(async () => (await listed()).join() === 'a,b')
      await subject.store().write({ kind: 'replace', record: { key, body: {} }, expectedVersion: 2 })
      await eventually(async () => (await listed()).join() === 'b')
      expect(sorts(await readAll(subject.store(), { partition, index, sortPrefix: '1', descending: true }))).toEqual([
        'b',
      ])
    })

    it('pages through 2,600 records by key and by index, each once, in order, both ways', async () => {
      const partition = newPartition()
      const expected = Array.from({ length: 2_600 }, (_, n) => String(n).padStart(5, '0'))
      for (let start = 0; start < expected.length; start += 200) {
        await Promise.all(
          expected.slice(start, start + 200).map((sort, n) =>
            subject.store().write(
              create({
                key: { partition, sort },
                body: {},
                indexes: { index1: { partition, sort: `same-${(start + n) % 3}` } },
              }),
            ),
          ),
        )
      }
      expect(sorts(await readAll(subject.store(), { partition, limit: 1_000 }))).toEqual(expected)
      expect(sorts(await readAll(subject.store(), { partition, limit: 77, descending: true }))).toEqual(
        [...expected].reverse(),
      )
      const byIndex = await eventually(async () => {
        const records = await readAll(subject.store(), { partition, index: 'index1', limit: 333 })
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
        await subject.store().write(create({ key: { partition, sort }, body: { x: 'x'.repeat(300_000) } }))
      expect(sorts(await readAll(subject.store(), { partition, limit: 1_000 }))).toEqual(keys)
    })

    it('goes on after the cursor although the record there is gone and others came', async () => {
      const partition = newPartition()
      await fillWith(subject.store(), partition, ['a', 'b', 'c', 'd'])
      const first = await subject.store().query({ partition, limit: 2 })
      expect(sorts(first.records)).toEqual(['a', 'b'])
      await subject.store().write({ kind: 'delete', key: { partition, sort: 'b' }, expectedVersion: 1 })
      await fillWith(subject.store(), partition, ['aa', 'bb'])
      expect(sorts((await subject.store().query({ partition, cursor: first.cursor as string })).records)).toEqual([
        'bb',
        'c',
        'd',
      ])
    })

    it('refuses a cursor of another query and one that was made up', async () => {
      const partition = newPartition()
      await fillWith(subject.store(), partition, ['a', 'b', 'c'])
      const { cursor } = await subject.store().query({ partition, limit: 1 })
      expect(cursor).toBeTypeOf('string')
      const others: RecordQuery[] = [
        { partition: `${partition}x` },
        { partition, descending: true },
        { partition, sortFrom: 'b' },
        { partition, sortTo: 'b' },
        { partition, sortPrefix: 'b' },
        { partition, index: 'index1' },
      ]
      for (const other of others)
        await rejects(subject.store().query({ ...other, cursor: cursor as string }), 'CURSOR_INVALID')
      for (const madeUp of [
        '',
        'x',
        '!!',
        'W10',
        `${cursor}A`,
        Buffer.from('["a"]').toString('base64url'),
        'A'.repeat(20_000),
      ]) {
        await rejects(subject.store().query({ partition, cursor: madeUp }), 'CURSOR_INVALID')
      }
    })
  })
}
