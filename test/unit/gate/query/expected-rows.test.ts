import { describe, expect, it } from 'vitest'
import { findExpectedRows } from '#lib/gate/query/expected-rows.ts'
import type { Judged } from '#lib/gate/query/submission.ts'
import { type DatabaseSession, StatementError } from '#lib/ports/index.ts'

const FAILURE = new StatementError({ sqlState: '42703', message: 'column "ctid" does not exist' } as never)

interface Given {
  readonly impact: { readonly method: string; readonly rowCount?: number }
  readonly hasShape?: boolean
  readonly answer?: Error | { readonly rows: readonly unknown[]; readonly truncated?: string }
}

async function ask({ impact, hasShape = true, answer = { rows: [['16385', '(0,3)']] } }: Given) {
  const asked: string[] = []
  const session = {
    execute: async (sql: string) => void asked.push(sql),
    runCapped: async (sql: string) => {
      asked.push(sql)
      if (answer instanceof Error) throw answer
      return answer
    },
  } as unknown as DatabaseSession
  const judged = {
    request: {},
    statement: hasShape ? { impact: { placesQuery: 'SELECT the places' } } : {},
    assessment: { impact },
  } as unknown as Judged
  return { places: await findExpectedRows(session, judged), asked }
}

describe('where the rows are that a write is about to reach', () => {
  it('is asked with its own predicate, inside of a savepoint', async () => {
    expect(await ask({ impact: { method: 'counted', rowCount: 1 } })).toEqual({
      places: [{ tableOid: '16385', ctid: '(0,3)' }],
      asked: ['SAVEPOINT backstop_places', 'SELECT the places', 'RELEASE backstop_places'],
    })
  })

  it('is not asked where the predicate was not counted: it may do something', async () => {
    for (const method of ['unknown', 'planner', 'measured', 'bounded', 'not-applicable']) {
      expect(await ask({ impact: { method, rowCount: 1 } })).toEqual({ places: undefined, asked: [] })
    }
    expect((await ask({ impact: { method: 'counted', rowCount: 1 }, hasShape: false })).asked).toEqual([])
    expect((await ask({ impact: { method: 'counted', rowCount: 10_001 } })).asked).toEqual([])
  })

  it('is unknown where the database refuses, and the transaction goes on', async () => {
    const { places, asked } = await ask({ impact: { method: 'counted', rowCount: 1 }, answer: FAILURE })
    expect(places).toBeUndefined()
    expect(asked.at(-1)).toBe('ROLLBACK TO backstop_places; RELEASE backstop_places')
  })

  it('is unknown where there are more than can be kept, and a lost session is no answer', async () => {
    const impact = { method: 'counted', rowCount: 1 }
    expect((await ask({ impact, answer: { rows: [], truncated: 'rows' } })).places).toBeUndefined()
    await expect(ask({ impact, answer: new Error('lost') })).rejects.toThrow('lost')
  })
})
