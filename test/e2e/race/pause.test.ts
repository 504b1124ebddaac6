import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '#test/support/eventually.ts'
import { type Caller, type Reply, startTestProduct, type TestProduct } from '#test/support/product.ts'
import { doorTo, execute } from '#test/support/race/rounds.ts'

let t: TestProduct
let holder: Client
beforeAll(async () => {
  t = await startTestProduct({
    seedSql: `CREATE TABLE notes (id int PRIMARY KEY, text text); CREATE TABLE jobs (id int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp());
      CREATE TABLE victims (id int); INSERT INTO notes SELECT i, 'note' FROM generate_series(1, 100) i`,
    environment: { BACKSTOP_LOCK_TIMEOUT_MS: '20000', BACKSTOP_MAX_CONNECTIONS: '12' },
  })
  holder = new Client({ connectionString: t.db.url })
  await holder.connect()
})
afterAll(async () => {
  await holder.end()
  await t.stop()
})

const countJobs = async () => Number((await t.db.run('SELECT count(*)::int AS n FROM jobs'))[0]?.['n'])

describe('a pause while many requests are on their way', () => {
  it('starts nothing new once it has returned, and what had started finishes', async () => {
    const door = doorTo(t.product.url)
    let isPaused = false
    const sentAfter: Promise<{ status: string }>[] = []
    const sentBefore: Promise<{ status: string }>[] = []
    let id = 1
    const send = () => (isPaused ? sentAfter : sentBefore).push(execute(door, `INSERT INTO jobs (id) VALUES (${id++})`))
    const sender = (async () => {
      while (!isPaused || sentAfter.length < 40) {
        send()
        if ((sentBefore.length + sentAfter.length) % 8 === 0) await Promise.all([sentBefore.at(-1), sentAfter.at(-1)])
      }
    })()
    await eventually(async () => (await countJobs()) > 10)
    const reply = await t.call('admin', 'POST', '/admin/pause', { reason: 'race' })
    isPaused = true
    expect(reply.status).toBe(200)
    await sender
    const before = await Promise.all(sentBefore)
    const after = await Promise.all(sentAfter)
    const executed = before.filter((answer) => answer.status === 'executed').length
    console.log(`pause: ${executed} of ${before.length} sent before were executed, 0 of ${after.length} sent after`)
    expect(after.length).toBeGreaterThanOrEqual(40)
    expect(new Set(after.map((answer) => answer.status))).toEqual(new Set(['blocked']))
    expect(new Set(before.map((answer) => answer.status))).toEqual(
      new Set(executed === before.length ? ['executed'] : ['executed', 'blocked']),
    )
    expect(await countJobs()).toBe(executed)
    expect((await execute(door, 'SELECT count(*) FROM notes')).status).toBe('executed')
    await t.call('admin', 'POST', '/admin/resume', {})
  })

  it('stops a write that waits for a lock behind the pause', async () => {
    const door = doorTo(t.product.url)
    const held = await execute(door, 'DROP TABLE victims')
    expect((await t.call('operator', 'POST', `/approve/${held.approval_id}`, {})).status).toBe(200)
    await holder.query('BEGIN; LOCK TABLE victims IN ACCESS SHARE MODE')
    const dropping = execute(door, 'DROP TABLE victims')
    await eventually(async () => {
      const waiting = await t.db.run("SELECT FROM pg_locks WHERE relation = 'victims'::regclass AND NOT granted")
      return waiting.length > 0
    })
    expect((await t.call('admin', 'POST', '/admin/pause', {})).status).toBe(200)
    await holder.query('COMMIT')
    expect((await dropping).status).toBe('blocked')
    expect(await t.db.run("SELECT to_regclass('victims') IS NULL AS gone")).toEqual([{ gone: false }])
    await t.call('admin', 'POST', '/admin/resume', {})
  })
})

describe('a hundred callers that wait for a decision', () => {
  it('never starve reads, decisions or the pause', async () => {
    const door = doorTo(t.product.url)
    const held = await execute(door, 'DELETE FROM notes')
    expect(held.status).toBe('approval_required')
    const callers = ['agent', 'operator', 'operator2', 'admin'] as const
    const waitAs = async (caller: Caller): Promise<Reply> => {
      const reply = await door.send(caller, 'GET', `/approvals/${held.approval_id}?wait=25`)
      return reply.status === 200 && reply.body.status === 'pending' ? await waitAs(caller) : reply
    }
    const waits = Array.from({ length: 100 }, (_, index) => waitAs(callers[index % callers.length] ?? 'agent'))
    const read = (id: number) => execute(door, `SELECT text FROM notes WHERE id = ${id}`)
    // Twenty at a time: two hundred at once on a busy machine would try the limits of time and not what the waiting takes.
    for (let first = 1; first <= 181; first += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => read(((first + index) % 100) + 1)))
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 'executed'))
    }
    expect((await t.call('operator2', 'GET', '/pending')).status).toBe(200)
    expect((await t.call('operator', 'POST', `/deny/${held.approval_id}`, {})).status).toBe(200)
    const replies = await Promise.all(waits)
    const told = replies.filter((reply) => reply.status === 200)
    const turnedAway = replies.filter((reply) => reply.status === 429)
    console.log(
      `waiting: ${told.length} were told of the decision, ${turnedAway.length} were turned away at once, 200 reads ran`,
    )
    expect(told.length + turnedAway.length).toBe(100)
    expect(told.length).toBeGreaterThanOrEqual(60)
    expect(new Set(told.map((reply) => reply.body.status))).toEqual(new Set(['denied']))
  })
})
