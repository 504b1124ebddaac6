/** Plans and pairing over random changes, without a server: nothing is lost, invented or overwritten. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UndoTable } from '#lib/recovery/undo/model.ts'
import { pairRows } from '#lib/recovery/undo/pair-rows.ts'
import { planUndo } from '#lib/recovery/undo/plan.ts'

const relation = { schema: 'public', name: 't' }
const columns = ['id', 'v'].map((name) => ({ name, type: 'text', identity: '', form: 'text' }) as const)
const KEYED = [{ name: 'id', operator: '=' }]

type Row = readonly [string, string | null]
const table = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.option(fc.constantFrom('x', 'y', 'z')), {
  maxKeys: 5,
})
const rowsOf = (content: Record<string, string | null>): readonly Row[] => Object.entries(content)

/** What the two sides of a look see of a transaction that turned one content into another. */
function changed(from: readonly Row[], to: readonly Row[], key: UndoTable['key']): readonly UndoTable[] {
  const text = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row))
  const before = from.filter((row) => !text(to).includes(JSON.stringify(row)))
  const after = to.filter((row) => !text(from).includes(JSON.stringify(row)))
  const described = {
    oid: '1',
    leaf: relation,
    root: relation,
    isPartitioned: false,
    isTemporary: false,
    sizeBytes: 0,
    pageCount: 0,
    problem: null,
  }
  return pairRows([{ table: { ...described, columns, key }, seen: { before, after } }])
}

/** The rows of the pre-image as a server would find them in a content. */
function current(image: UndoTable, now: readonly Row[]) {
  const find = (values: readonly (string | null)[] | null, isWhole: boolean) =>
    now.findIndex((row) => values !== null && row[0] === values[0] && (!isWhole || row[1] === values[1]))
  return image.rows.map(({ before, after }) => {
    const index = image.key === null ? find(after, true) : find(after ?? before, false)
    return index === -1 ? undefined : { tableOid: '1', ctid: `(0,${index})`, values: now[index] as Row }
  })
}

/** Carry a plan out on a content. */
function apply(now: readonly Row[], plan: ReturnType<typeof planUndo>): readonly Row[] {
  const rows: (Row | undefined)[] = [...now]
  const added: Row[] = []
  for (const { from, to, place } of plan.tables.flatMap((one) => one.steps)) {
    const index = place === undefined ? -1 : Number(/,(\d+)/.exec(place.ctid)?.[1])
    if (from !== null) expect(rows[index]).toEqual(from)
    if (index >= 0) rows[index] = to === null ? undefined : (to as unknown as Row)
    else if (to !== null) added.push(to as unknown as Row)
  }
  return [...rows.filter((row) => row !== undefined), ...added]
}

const sorted = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row)).sort()

describe.each([
  ['with a key', KEYED],
  ['without a key', null],
] as const)('%s', (_, key) => {
  it('undo brings back what was there', () => {
    fc.assert(
      fc.property(table, table, (before, after) => {
        const [from, to] = [rowsOf(before), rowsOf(after)]
        const images = changed(from, to, key)
        const tables = images.map((image) => ({ table: image, isPartitioned: false, current: current(image, to) }))
        const plan = planUndo(tables, 'fail')
        expect(plan).toMatchObject({ isAllowed: true, conflictCount: 0 })
        expect(sorted(apply(to, plan))).toEqual(sorted(from))
      }),
      { numRuns: 2_000 },
    )
  })

  it('never touches a row that somebody changed since', () => {
    fc.assert(
      fc.property(table, table, table, (before, after, later) => {
        const [from, to, now] = [rowsOf(before), rowsOf(after), rowsOf(later)]
        const images = changed(from, to, key)
        const tables = images.map((image) => ({ table: image, isPartitioned: false, current: current(image, now) }))
        const strict = planUndo(tables, 'fail')
        expect(strict.isAllowed).toBe(strict.conflictCount === 0)
        const result = sorted(apply(now, planUndo(tables, 'skip')))
        const mine = sorted(to).filter((row) => !sorted(from).includes(row))
        // What is there and was not written by this write stays.
        for (const row of sorted(now)) if (!mine.includes(row)) expect(result).toContain(row)
      }),
      { numRuns: 2_000 },
    )
  })
})
