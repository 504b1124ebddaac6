/** Many writers at once on the same tables: each pre-image has its own rows and nobody else's. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openUndoWorld, type UndoWorld } from '#test/support/undo/world.ts'

const WRITERS = 8
const ROUNDS = 4
const SEED = `
CREATE TABLE a (id int PRIMARY KEY, v text, n int);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
CREATE TABLE log (who int, what text);
INSERT INTO a SELECT i, 'v' || i, i FROM generate_series(1, 400) i;
INSERT INTO b SELECT i, i FROM generate_series(1, 400) i;
`

let world: UndoWorld
beforeAll(async () => {
  world = await openUndoWorld(SEED)
})
afterAll(() => world.close())

/** Rows of its own in tables of all: some changed, some gone with their children, some new, some in a sub-transaction. */
function statementOf(writer: number, round: number): string {
  const mine = `id <= 400 AND id % ${WRITERS} = ${writer} AND id / ${WRITERS} % ${ROUNDS} = ${round}`
  const fresh = 1_000 + round * 100 + writer * 10
  return `UPDATE a SET n = n + 1, v = v || 'w${writer}' WHERE ${mine} AND id <= 200;
    DELETE FROM a WHERE ${mine} AND id > 350;
    DO $$ BEGIN INSERT INTO a VALUES (${fresh}, 'new', ${writer}); INSERT INTO b VALUES (${fresh}, ${fresh});
      BEGIN UPDATE a SET n = -1 WHERE ${mine}; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$;
    INSERT INTO log VALUES (${writer}, 'round'), (${writer}, 'round')`
}

it('are undone one by one, in any order, to exactly what was there', { timeout: 120_000 }, async () => {
  const before = await world.content()
  const ids: `aud_${string}`[] = []
  let rows = 0
  for (let round = 0; round < ROUNDS; round++) {
    const writes = Array.from({ length: WRITERS }, (_, writer) => world.write(statementOf(writer, round)))
    for (const { auditId, kept } of await Promise.all(writes)) {
      expect(kept).toMatchObject({ available: true })
      rows += kept.available ? kept.rowCount : 0
      ids.push(auditId)
    }
  }
  const after = await world.content()
  const gone = before.filter((line) => !after.includes(line)).length
  // 200 updates, 50 deletes with their children, and for each write two new rows and two lines of the log.
  expect(rows).toBe(200 + 50 * 2 + WRITERS * ROUNDS * 4)
  expect(gone).toBe(200 + 50 * 2)
  const order = ids
    .map((id, index) => ({ id, at: (index * 7 + 3) % ids.length }))
    .sort((one, other) => one.at - other.at)
  for (let start = 0; start < order.length; start += 4) {
    const ends = await Promise.all(order.slice(start, start + 4).map(({ id }) => world.reverse(id)))
    for (const end of ends) expect(end).toMatchObject({ status: 'undone', conflictCount: 0 })
  }
  expect(await world.content()).toEqual(before)
  process.stdout.write(`undo race: ${ids.length} writes by ${WRITERS} writers, ${rows} rows, all set back\n`)
})
