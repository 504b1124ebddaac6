/** What is concluded of the tables of two looks. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quoteRelation } from '#lib/kernel/index.ts'
import { type KnownTable, planTables, type SeenTable } from '#lib/recovery/watch/index.ts'

const names = fc.constantFrom('a', 'b', 'c', 'A', 'a.b', 'ü')
const table = fc.record({
  oid: fc.integer({ min: 1, max: 12 }),
  relation: fc.record({ schema: names, name: names }),
  holdsRows: fc.boolean(),
})
/** A catalog: neither an oid nor a name comes twice. */
const catalog = fc
  .uniqueArray(table, { selector: ({ oid }) => oid, maxLength: 10 })
  .map((tables) => [...new Map(tables.map((one) => [quoteRelation(one.relation), one])).values()])

const known = (tables: readonly SeenTable[]): readonly KnownTable[] =>
  tables.map((one) => ({ ...one, firstSeenAt: '2027-01-15T08:00:00.000Z' as KnownTable['firstSeenAt'] }))

test('every table that was known is there, gone or renamed, and never two of them; what is new is nothing else', () => {
  fc.assert(
    fc.property(catalog, catalog, (before, after) => {
      const { appeared, renamed, gone } = planTables(known(before), after)
      const oidsAfter = new Set(after.map(({ oid }) => oid))
      expect(gone.map(({ table: { oid } }) => oid)).toEqual(
        before.map(({ oid }) => oid).filter((oid) => !oidsAfter.has(oid)),
      )
      for (const { oid, to } of renamed) expect(after.find((one) => one.oid === oid)?.relation).toEqual(to)
      const oidsBefore = new Set(before.map(({ oid }) => oid))
      expect(appeared).toEqual(after.filter(({ oid }) => !oidsBefore.has(oid)))
      for (const { table: lost, replacedByOid } of gone) {
        const namesake = after.find(({ relation }) => quoteRelation(relation) === quoteRelation(lost.relation))
        expect(replacedByOid).toBe(namesake?.oid ?? null)
      }
    }),
    { numRuns: 500 },
  )
})

test('a look that finds the same finds nothing', () => {
  fc.assert(
    fc.property(catalog, (tables) => {
      expect(planTables(known(tables), tables)).toEqual({ appeared: [], renamed: [], gone: [] })
    }),
  )
})
