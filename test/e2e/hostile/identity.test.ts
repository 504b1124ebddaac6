import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'

let t: TestProduct
beforeEach(async () => {
  t = await startTestProduct({
    seedSql:
      "CREATE TABLE notes (id int PRIMARY KEY, text text); INSERT INTO notes VALUES (1, 'a'), (2, 'b'), (3, 'c')",
  })
})
afterEach(() => t.stop())

const write = (agentId: string, caller: 'agent' | 'agent2' = 'agent') =>
  t.query(`INSERT INTO notes VALUES (${Math.floor(Math.random() * 1e9)}, 'n')`, { agent_id: agentId }, caller)

async function provoke(count: number, agentIdOf: (index: number) => string): Promise<void> {
  for (let index = 0; index < count; index++) {
    const answer = await t.query(`DROP DATABASE other_${index}`, { agent_id: agentIdOf(index) })
    expect(answer.status).toBe('blocked')
  }
}

describe('quarantine', () => {
  it('follows the token, however often the agent_id changes', async () => {
    await provoke(3, (index) => `mask-${index}`)
    expect(await write('a-new-face')).toMatchObject({
      status: 'blocked',
      message: expect.stringContaining('quarantined'),
    })
    expect(await write('mask-0')).toMatchObject({ status: 'blocked' })
  })

  it('does not strike another principal that is named in its place', async () => {
    await provoke(3, () => 'victim')
    expect(await write('victim', 'agent2')).toMatchObject({ status: 'executed' })
  })

  it('is not ended by a restart of the counting under another spelling of the id', async () => {
    await provoke(2, () => 'tester')
    expect((await t.query('DROP SCHEMA public CASCADE', { agent_id: 'TESTER ' })).status ?? 'refused').not.toBe(
      'executed',
    )
    await provoke(1, () => 'Tester')
    expect(await write('tester')).toMatchObject({ status: 'blocked' })
  })

  it('counts what is tried in a batch, and holds for the rest of it', async () => {
    const call = (id: number, query: string) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'execute_query', arguments: { query, agent_id: `b${id}` } },
    })
    const batch = [
      ...Array.from({ length: 3 }, (_, index) => call(index, `DROP DATABASE d${index}`)),
      call(9, "INSERT INTO notes VALUES (77, 'x')"),
    ]
    const { body } = await t.call('agent', 'POST', '/', batch)
    expect(body.map((one: { result: { status: string } }) => one.result.status)).toEqual([
      'blocked',
      'blocked',
      'blocked',
      'blocked',
    ])
    expect(await t.db.run('SELECT count(*)::int AS n FROM notes')).toEqual([{ n: 3 }])
  })
})
