/** What tries to make undo lose, invent or overwrite a row. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import { undoKey } from '#lib/recovery/undo/codec.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import { openUndoWorld, type UndoWorld } from '#test/support/undo/world.ts'

const SEED = `
CREATE TABLE a (id int PRIMARY KEY, v text, n int);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
INSERT INTO a SELECT i, 'v' || i, i FROM generate_series(1, 20) i;
`
let world: UndoWorld
const open: (() => Promise<void>)[] = []
beforeAll(async () => {
  world = await openUndoWorld(SEED)
})
afterEach(async () => {
  for (const close of open.splice(0)) await close()
  await world.db.run(`TRUNCATE a, b; INSERT INTO a SELECT i, 'v' || i, i FROM generate_series(1, 20) i`)
})
afterAll(() => world.close())

/** A world of its own for a test. */
async function worldOf(...how: Parameters<typeof openUndoWorld>): Promise<UndoWorld> {
  const other = await openUndoWorld(...how)
  open.push(() => other.close())
  return other
}

const reasonOf = ({ kept }: Awaited<ReturnType<UndoWorld['write']>>) => (kept.available ? '' : kept.reason)

describe('what others do meanwhile', () => {
  it('is never taken for the own change: committed, rolled back, in progress, locked by several', async () => {
    const before = await world.content()
    await world.db.database.withDedicatedSession(async (held) => {
      await world.db.database.withDedicatedSession(async (session) => {
        await session.execute('BEGIN')
        const mark = await world.undo.mark(session)
        await session.execute(`UPDATE a SET v = 'mine' WHERE id <= 3`)
        // Others, in every state, on the same table; the reference locks a row that is being changed, which makes a multixact.
        await world.db.run(
          `UPDATE a SET v = 'theirs' WHERE id = 10; DELETE FROM a WHERE id = 11; INSERT INTO a VALUES (30, 'theirs', 0)`,
        )
        await world.db.run(`INSERT INTO b VALUES (1, 1), (2, 2)`)
        await world.db.run(`BEGIN; UPDATE a SET v = 'never' WHERE id = 12; ROLLBACK`)
        await held.execute(
          `BEGIN; UPDATE a SET v = 'later' WHERE id = 13; DELETE FROM a WHERE id = 14; SELECT FROM a WHERE id = 15 FOR UPDATE`,
        )
        await session.execute(`SAVEPOINT s; UPDATE a SET v = 'mine too' WHERE id IN (1, 16); RELEASE s`)
        const auditId = `aud_${'1'.repeat(32)}` as const
        const tables = [{ relation: { schema: 'public', name: 'a' }, insertedRows: 0, updatedRows: 5, deletedRows: 0 }]
        const kept = await world.undo.keep(session, { auditId, mark, tables, isApproved: true })
        expect(kept).toMatchObject({ available: true, rowCount: 4 })
        await session.execute('COMMIT')
        await held.execute('ROLLBACK')
        expect((await world.reverse(auditId)).reversedCount).toBe(4)
      })
    })
    const after = await world.content()
    expect(after.filter((line) => !before.includes(line))).toEqual([
      'public.a (10,theirs,10)',
      'public.a (30,theirs,0)',
      'public.b (1,1)',
      'public.b (2,2)',
    ])
    expect(before.filter((line) => !after.includes(line))).toEqual(['public.a (10,v10,10)', 'public.a (11,v11,11)'])
  })

  it('finds changes in frozen and vacuumed tables', async () => {
    await world.db.run('VACUUM (FREEZE) a')
    const before = await world.content()
    const { auditId, kept } = await world.write(`DELETE FROM a WHERE id % 2 = 0`)
    expect(kept).toMatchObject({ rowCount: 10 })
    await world.db.run('VACUUM (FULL, FREEZE) a')
    await world.reverse(auditId)
    expect(await world.content()).toEqual(before)
  })
})

describe('what cannot be kept', () => {
  it('is said, with the figure, and the write goes on', async () => {
    const small = await worldOf(SEED, { maxRows: 5 })
    expect(reasonOf(await small.write('UPDATE a SET n = 0'))).toContain('20 rows')
    const narrow = await worldOf(SEED, { maxBytes: 1_000 })
    expect(reasonOf(await narrow.write(`UPDATE a SET v = repeat('x', 900) WHERE id < 4`))).toContain('1000 bytes')
    const large = await worldOf(SEED, { maxImmediateScanBytes: 4_096 })
    expect(reasonOf(await large.write('UPDATE a SET n = 0', { isApproved: false }))).toContain('at most 1 MiB')
    expect((await large.write('UPDATE a SET n = 1', { isApproved: true })).kept.available).toBe(true)
    expect(await large.db.run('SELECT sum(n)::int FROM a')).toEqual([{ sum: 20 }])
  })

  it('is a table that the writer keeps everybody out of: nobody waits for long', async () => {
    const done = await world.write('LOCK TABLE a IN ACCESS EXCLUSIVE MODE; DELETE FROM a WHERE id = 1')
    expect(reasonOf(done)).toContain('55P03')
    expect(await world.db.run('SELECT count(*)::int FROM a')).toEqual([{ count: 19 }])
  })

  it('is a write under snapshot isolation, whose view of others is old', async () => {
    const done = await world.db.database.withDedicatedSession(async (session) => {
      await session.execute('BEGIN ISOLATION LEVEL REPEATABLE READ')
      const mark = await world.undo.mark(session)
      const tables = [{ relation: { schema: 'public', name: 'a' }, insertedRows: 0, updatedRows: 1, deletedRows: 0 }]
      return world.undo.keep(session, { auditId: `aud_${'2'.repeat(32)}`, tables, mark, isApproved: true })
    })
    expect(done).toMatchObject({ available: false, reason: expect.stringContaining('repeatable read') })
  })

  it('is nothing but temporary rows, or rows that are as they were', async () => {
    const temporary = await world.write('CREATE TEMP TABLE tt (i int); INSERT INTO tt VALUES (1)')
    expect(temporary.kept.available).toBe(false)
    expect(reasonOf(await world.write('UPDATE a SET n = n'))).toContain('as they were')
  })
})

describe('rows that changed since', () => {
  it('are conflicts of each kind, and nothing is overwritten', async () => {
    const { auditId } =
      await world.write(`WITH d AS (DELETE FROM a WHERE id = 1), i AS (INSERT INTO a VALUES (50, 'new', 0), (51, 'new', 0))
      UPDATE a SET v = 'x' WHERE id IN (2, 3)`)
    await world.db.run(
      `INSERT INTO a VALUES (1, 'someone', 1); UPDATE a SET n = 99 WHERE id IN (2, 50); DELETE FROM a WHERE id = 3`,
    )
    const before = await world.content()
    const report = await world.reverse(auditId)
    expect(report).toMatchObject({ status: 'conflict', conflictCount: 4, reversedCount: 0 })
    const kinds = report.rows.map(({ key, action, conflict }) => [
      key['id'],
      action,
      conflict?.kind ?? null,
      conflict?.columns ?? [],
    ])
    expect(kinds.sort()).toEqual([
      ['1', 'reinsert', 'exists', []],
      ['2', 'restore', 'changed', ['n']],
      ['3', 'restore', 'missing', []],
      ['50', 'remove', 'changed', ['n']],
      ['51', 'remove', null, []],
    ])
    expect(await world.content()).toEqual(before)
    expect(await world.reverse(auditId, 'skip')).toMatchObject({ status: 'undone', reversedCount: 1 })
    expect(await world.content()).toEqual(before.filter((line) => !line.includes('(51,')))
  })

  it('are also rows that a cascade would take along', async () => {
    const { auditId } = await world.write(`INSERT INTO a VALUES (60, 'parent', 0)`)
    await world.db.run('INSERT INTO b VALUES (600, 60)')
    const before = await world.content()
    await expect(world.reverse(auditId)).rejects.toMatchObject({
      code: 'UNDO_IMPOSSIBLE',
      message: expect.stringContaining('public.b'),
    })
    expect(await world.content()).toEqual(before)
  })

  it('are also parents that are gone', async () => {
    await world.db.run('INSERT INTO b VALUES (1, 1)')
    const { auditId } = await world.write('DELETE FROM b')
    await world.db.run('DELETE FROM a WHERE id = 1')
    const before = await world.content()
    await expect(world.reverse(auditId)).rejects.toMatchObject({
      code: 'UNDO_IMPOSSIBLE',
      message: expect.stringContaining('b_a_fkey'),
    })
    expect(await world.content()).toEqual(before)
  })

  it('without a key are found by their content, each once', async () => {
    const other = await worldOf(`CREATE TABLE t (v text); INSERT INTO t VALUES ('x'), ('x'), (NULL)`)
    const { auditId } = await other.write(`INSERT INTO t VALUES ('x'), ('y')`)
    await other.db.run(`DELETE FROM t WHERE v = 'y'`)
    expect(await other.reverse(auditId)).toMatchObject({ status: 'conflict', conflictCount: 1 })
    expect(await other.reverse(auditId, 'skip')).toMatchObject({ status: 'undone', reversedCount: 1 })
    expect(await other.db.run(`SELECT count(*)::int FROM t WHERE v = 'x'`)).toEqual([{ count: 2 }])
  })
})

describe('tables and objects that are not what they were', () => {
  it('are refused: other columns, gone, a changed or missing object', async () => {
    const other = await worldOf(SEED)
    const first = await other.write('UPDATE a SET n = 0 WHERE id = 1')
    const second = await other.write('UPDATE a SET n = 0 WHERE id = 2')
    await other.db.run('ALTER TABLE a ALTER n TYPE bigint')
    await expect(other.reverse(first.auditId)).rejects.toMatchObject({ code: 'UNDO_IMPOSSIBLE' })
    await other.db.run('ALTER TABLE a ALTER n TYPE int')
    await other.objects.put(undoKey(first.auditId), Buffer.from('forged'))
    await expect(other.reverse(first.auditId)).rejects.toMatchObject({ code: 'UNDO_CORRUPT' })
    await other.objects.put(undoKey(first.auditId), await other.objects.read(undoKey(second.auditId)))
    await expect(other.reverse(first.auditId)).rejects.toMatchObject({ code: 'UNDO_CORRUPT' })
    await other.objects.delete(undoKey(first.auditId))
    await expect(other.reverse(first.auditId)).rejects.toMatchObject({ code: 'UNDO_CORRUPT' })
    const { auditId: id } = second
    const forged = other.undo.reverse({ auditId: id, conflictPolicy: 'fail', expectedSha256: '0'.repeat(64) })
    await expect(forged).rejects.toMatchObject({ code: 'UNDO_CORRUPT' })
    await other.db.run('DROP TABLE a CASCADE')
    await expect(other.reverse(id)).rejects.toMatchObject({ code: 'UNDO_IMPOSSIBLE' })
  })
})

describe('a gateway that does not own the tables', () => {
  const ROLE_SEED = `${SEED}
    DROP ROLE IF EXISTS undo_gateway; CREATE ROLE undo_gateway LOGIN PASSWORD 'gate-1234';
    GRANT SELECT, INSERT, UPDATE, DELETE ON a, b TO undo_gateway;
    CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n = NEW.n * 2; RETURN NEW; END';`

  async function asRole(): Promise<UndoWorld> {
    const db = await createTestDatabase(ROLE_SEED)
    const database = openPostgres({ url: db.urlAs('undo_gateway', 'gate-1234') })
    const drop = async () => {
      await database.close()
      await db.run('DROP OWNED BY undo_gateway')
      await db.drop()
    }
    return await worldOf('', {}, { ...db, database, drop })
  }

  it('undoes without any right but to read and write rows', async () => {
    const other = await asRole()
    const { auditId, kept } = await other.write(
      `WITH d AS (DELETE FROM a WHERE id = 1) UPDATE a SET n = 0 WHERE id = 2`,
    )
    expect(kept).toMatchObject({ available: true, rowCount: 2 })
    expect((await other.reverse(auditId)).status).toBe('undone')
    expect(await other.db.run('SELECT n FROM a WHERE id <= 2 ORDER BY id')).toEqual([{ n: 1 }, { n: 2 }])
  })

  it('changes nothing where a trigger that it cannot silence makes something else of a row', async () => {
    const other = await asRole()
    await other.db.run('CREATE TRIGGER tw BEFORE INSERT OR UPDATE ON a FOR EACH ROW EXECUTE FUNCTION twice()')
    const { auditId } = await other.write('UPDATE a SET n = 5 WHERE id = 3')
    await expect(other.reverse(auditId)).rejects.toMatchObject({ code: 'UNDO_IMPOSSIBLE' })
    expect(await other.db.run('SELECT n FROM a WHERE id = 3')).toEqual([{ n: 10 }])
  })

  it('says so where row security hides rows from it', async () => {
    const other = await asRole()
    await other.db.run('ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a USING (id < 5)')
    expect(reasonOf(await other.write('UPDATE a SET n = 5 WHERE id = 3'))).toContain('42501')
  })
})

describe('two at once', () => {
  it('have one effect, also where rows have no key', async () => {
    const other = await worldOf(`CREATE TABLE t (v text); INSERT INTO t VALUES ('x'), ('y')`)
    const { auditId } = await other.write('DELETE FROM t')
    const ends = await Promise.allSettled([1, 2, 3, 4].map(() => other.reverse(auditId)))
    expect(ends.filter((end) => end.status === 'fulfilled')).toHaveLength(1)
    const codes = ends.flatMap((end) => (end.status === 'rejected' ? [(end.reason as { code: string }).code] : []))
    expect(codes).toEqual(['UNDO_DONE', 'UNDO_DONE', 'UNDO_DONE'])
    expect(await other.content()).toEqual(['public.t (x)', 'public.t (y)'])
  })

  async function whileHeld(end: 'COMMIT' | 'ROLLBACK') {
    const { auditId } = await world.write(`UPDATE a SET v = 'x' WHERE id = 5`)
    return world.db.database.withDedicatedSession(async (other: DatabaseSession) => {
      await other.execute(`BEGIN; UPDATE a SET n = 77 WHERE id = 5`)
      const undoing = world.reverse(auditId)
      await untilWaiting()
      await other.execute(end)
      return undoing
    })
  }

  async function untilWaiting(): Promise<void> {
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
    await eventually(async () => (await world.db.run(waiting)).length > 0, { what: 'somebody who waits' })
  }

  it('waits for a writer of one of the rows, and then sees what it did', async () => {
    expect(await whileHeld('COMMIT')).toMatchObject({ status: 'conflict', conflictCount: 1 })
    expect(await world.db.run('SELECT v, n FROM a WHERE id = 5')).toEqual([{ v: 'x', n: 77 }])
  })

  it('goes on where that writer gave up', async () => {
    expect(await whileHeld('ROLLBACK')).toMatchObject({ status: 'undone' })
    expect(await world.db.run('SELECT v, n FROM a WHERE id = 5')).toEqual([{ v: 'v5', n: 5 }])
  })
})

describe('a writer that is killed between its pre-image and COMMIT', () => {
  it('leaves a pre-image that reverses nothing and is swept', async () => {
    const other = await worldOf(SEED)
    const before = await other.content()
    const killed: string[] = []
    const between = async (session: DatabaseSession) => {
      const page = await other.objects.list('undo/')
      killed.push(...page.objects.map((object) => object.key))
      await other.db.run(`SELECT pg_terminate_backend(${session.processId})`)
    }
    await expect(other.write('DELETE FROM a', { between })).rejects.toThrow()
    expect(killed).toHaveLength(1)
    expect(await other.content()).toEqual(before)
    const auditId = /aud_[0-9a-f]+/.exec(killed[0] ?? '')?.[0] as `aud_${string}`
    await expect(other.reverse(auditId)).rejects.toMatchObject({ code: 'UNDO_NOT_APPLIED' })
    const live = await other.write('DELETE FROM a WHERE id = 1')
    expect(await other.undo.sweep()).toEqual({ looked: 2, dropped: 0 })
    other.time.nowMs += 31 * 60_000
    expect(await other.undo.sweep()).toEqual({ looked: 2, dropped: 1 })
    await expect(other.reverse(auditId)).rejects.toMatchObject({ code: 'UNDO_MISSING' })
    expect((await other.reverse(live.auditId)).status).toBe('undone')
    other.time.nowMs += 8 * 24 * 60 * 60_000
    expect(await other.undo.sweep()).toMatchObject({ dropped: 2 })
    expect((await other.objects.list('undo/')).objects).toEqual([])
  })

  it('a reversal that was killed can be done again', async () => {
    const other = await worldOf(SEED)
    const before = await other.content()
    const { auditId } = await other.write('DELETE FROM a WHERE id = 1')
    // The claim of a reversal whose transaction never committed: its id is that of an aborted transaction.
    const aborted = await other.db.database.withDedicatedSession(async (session) => {
      await session.execute('BEGIN')
      const { transactionId } = await other.undo.mark(session)
      await session.execute('ROLLBACK')
      return transactionId
    })
    const key = { partition: `undo#${auditId}`, sort: 'image' }
    const record = await other.records.find(key)
    const body = { ...record?.body, undoneBy: { auditId: `aud_${'3'.repeat(32)}`, transactionId: aborted } }
    await other.records.write({ kind: 'replace', record: { key, body }, expectedVersion: record?.version ?? 0 })
    expect((await other.reverse(auditId)).status).toBe('undone')
    expect(await other.content()).toEqual(before)
  })
})
