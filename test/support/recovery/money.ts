/** Writers that move money from one table into another without a rest, each move in one transaction with its entry in the book. */
import { Client } from 'pg'
import { eventually } from '#test/support/eventually.ts'

export interface Movers {
  /** Resolves when so many more moves are committed. */
  moved(count: number): Promise<void>
  /** Resolves when no writer is at work any more; throws what one of them failed with. */
  stop(): Promise<void>
}

/** On the tables checking, savings and transfer of the tests. */
export async function keepMovingMoney(
  url: string,
  { writers, accounts }: { readonly writers: number; readonly accounts: number },
): Promise<Movers> {
  let isOver = false
  let moves = 0
  let failure: unknown
  const work = Array.from({ length: writers }, async (_, writer) => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      for (let turn = writer; !isOver; turn += writers) {
        const account = 1 + (turn % accounts)
        await client.query('BEGIN')
        await client.query('UPDATE checking SET balance = balance - 1 WHERE id = $1', [account])
        await client.query('INSERT INTO transfer (account, amount) VALUES ($1, 1)', [account])
        await client.query('UPDATE savings SET balance = balance + 1 WHERE id = $1', [account])
        await client.query('COMMIT')
        moves += 1
      }
    } catch (error) {
      failure ??= error
    } finally {
      await client.end()
    }
  })
  return {
    moved: async (count) => {
      const wanted = moves + count
      await eventually(() => failure !== undefined || moves >= wanted, { what: 'the writers to move money' })
    },
    stop: async () => {
      isOver = true
      await Promise.all(work)
      if (failure !== undefined) throw failure
    },
  }
}
