/** Values of sequences: drawing from one may leave no other trace in the cluster. */
import { quoteRelation } from '#lib/kernel/index.ts'
import type { Database } from '#lib/ports/index.ts'
import type { Manifest } from '../manifest/index.ts'

/** By quoted name; null: never drawn from, or not to be read. */
export type SequenceValues = ReadonlyMap<string, string | null>

export async function readSequences(database: Database): Promise<SequenceValues> {
  return await database.withSession(async (session) => {
    const rows = await session.query<{ schema: string; name: string; value: string | null }>(
      'SELECT schemaname AS schema, sequencename AS name, last_value::text AS value FROM pg_sequences',
    )
    return new Map(rows.map(({ schema, name, value }) => [quoteRelation({ schema, name }), value]))
  })
}

/** Whether a sequence of the table has another value than when it was captured. Effects: pure */
export function haveMoved({ definition }: Pick<Manifest, 'definition'>, values: SequenceValues): boolean {
  return definition.columns.some(({ sequence }) => {
    if (sequence === null) return false
    const captured = sequence.isCalled ? sequence.lastValue : null
    return (values.get(quoteRelation(sequence)) ?? null) !== captured
  })
}
