/** Which statements the gate would run as reads: SAFE by their text, and not calling what the catalog says is volatile. */
import type { Client } from 'pg'
import { type ClassifiedStatement, classify, type WrittenName } from '#lib/gate/classify/index.ts'
import type { NamedStatement } from './statement-file.ts'

export interface Sorted {
  readonly safe: readonly NamedStatement[]
  /** SAFE by the text, raised by the catalog: statement and function. */
  readonly raised: readonly { readonly name: string; readonly because: string }[]
  /** Not SAFE by the text: name and level or refusal. */
  readonly others: readonly { readonly name: string; readonly level: string }[]
}

/** Sort statements into what runs as a read and what does not. Effects: reads the catalog. */
export async function sortStatements(client: Client, statements: readonly NamedStatement[]): Promise<Sorted> {
  const safe: NamedStatement[] = []
  const raised: { name: string; because: string }[] = []
  const others: { name: string; level: string }[] = []
  const volatile = await readVolatile(client)
  for (const statement of statements) {
    const result = classify(statement.sql)
    if (!result.ok || result.level !== 'SAFE') {
      others.push({ name: statement.name, level: result.ok ? result.level : result.code })
      continue
    }
    const because = volatileUse(result, volatile)
    if (because === undefined) safe.push(statement)
    else raised.push({ name: statement.name, because })
  }
  return { safe, raised, others }
}

interface Volatile {
  readonly functions: ReadonlySet<string>
  readonly operators: ReadonlySet<string>
}

/** A function that pg_catalog has with the same arguments is never reached by its bare name; a sampling method is no call. */
async function readVolatile(client: Client): Promise<Volatile> {
  const functions = await client.query<{ names: string[] }>(`
    SELECT ARRAY[p.proname::text, n.nspname || '.' || p.proname] AS names
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.provolatile = 'v' AND n.nspname <> 'pg_catalog' AND p.prorettype <> 'tsm_handler'::regtype AND NOT EXISTS (
      SELECT FROM pg_proc c WHERE c.pronamespace = 'pg_catalog'::regnamespace AND c.proname = p.proname AND c.proargtypes = p.proargtypes)`)
  const operators = await client.query<{ names: string[] }>(`
    SELECT ARRAY[o.oprname::text, n.nspname || '.' || o.oprname] AS names
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace JOIN pg_proc p ON p.oid = o.oprcode
    WHERE p.provolatile = 'v' AND n.nspname <> 'pg_catalog'`)
  const collect = (rows: { names: string[] }[]) => new Set(rows.flatMap(({ names }) => names))
  return { functions: collect(functions.rows), operators: collect(operators.rows) }
}

function volatileUse(statement: ClassifiedStatement, volatile: Volatile): string | undefined {
  const used = statement.functions.map(write).find((name) => volatile.functions.has(name))
  return used ?? statement.qualifiedOperators.map(write).find((name) => volatile.operators.has(name))
}

function write({ schema, name }: WrittenName): string {
  return schema === undefined ? name : `${schema}.${name}`
}
