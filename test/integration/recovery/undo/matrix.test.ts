/** Every kind of write on a real server: undo is identity, and so is undoing the undo. */
import { afterAll, describe, expect, it } from 'vitest'
import { openUndoWorld } from '#test/support/undo/world.ts'
import { CASES } from './cases.ts'

const results: string[] = []

describe('undo of every kind of write', () => {
  it.each(CASES)('$title', async ({ title, seed, write, rows }) => {
    const world = await openUndoWorld(seed)
    try {
      const before = await world.content()
      const { auditId, kept } = await world.write(write)
      const after = await world.content()
      expect(kept.available ? kept.rowCount : kept.reason).toBe(rows)
      expect(after).not.toEqual(before)
      expect((await world.look(auditId)).status).toBe('planned')
      expect(await world.content()).toEqual(after)

      const undone = await world.reverse(auditId)
      expect(undone).toMatchObject({
        status: 'undone',
        conflictCount: 0,
        reversedCount: rows,
        undo: { available: true },
      })
      expect(await world.content()).toEqual(before)

      const again = await world.reverse(undone.undoAuditId)
      expect(again).toMatchObject({ status: 'undone', reversedCount: rows })
      expect(await world.content()).toEqual(after)
      const third = await world.reverse(auditId)
      expect(third.status).toBe('undone')
      expect(await world.content()).toEqual(before)
      results.push(`${title} | ${rows} | identity`)
    } finally {
      await world.close()
    }
  })
})

afterAll(() => {
  expect(results.length).toBeGreaterThanOrEqual(35)
  process.stdout.write(`undo matrix: ${results.length} of ${CASES.length}\n${results.join('\n')}\n`)
})
