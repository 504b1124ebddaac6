/** What pg_catalog holds, read from a running server, and the source files that keep it. */

/** Any client that runs a query and gives its rows. */
export type RunQuery = (sql: string) => Promise<readonly Record<string, unknown>[]>

export interface CatalogNames {
  /** Functions whose every overload is IMMUTABLE or STABLE. */
  readonly steady: readonly string[]
  readonly volatile: readonly string[]
  readonly types: readonly string[]
  readonly operators: readonly string[]
}

const FUNCTIONS = `
  SELECT proname::text COLLATE "C" AS name, bool_or(provolatile = 'v') AS is_volatile
  FROM pg_catalog.pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
  GROUP BY 1
  HAVING NOT bool_or('internal'::regtype = ANY (proargtypes) OR prorettype IN ('internal'::regtype, 'trigger'::regtype,
    'event_trigger'::regtype, 'index_am_handler'::regtype, 'table_am_handler'::regtype, 'fdw_handler'::regtype,
    'tsm_handler'::regtype, 'language_handler'::regtype))
  ORDER BY 1`
const TYPES = `
  SELECT typname::text COLLATE "C" AS name FROM pg_catalog.pg_type
  WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype <> 'c' AND typname NOT LIKE '\\_%' ORDER BY 1`
const OPERATORS = `
  SELECT DISTINCT oprname::text COLLATE "C" AS name FROM pg_catalog.pg_operator
  WHERE oprnamespace = 'pg_catalog'::regnamespace ORDER BY 1`

export async function readCatalogNames(run: RunQuery): Promise<CatalogNames> {
  const namesOf = (rows: readonly Record<string, unknown>[]): string[] => rows.map((row) => String(row['name']))
  const functions = await run(FUNCTIONS)
  return {
    steady: namesOf(functions.filter((row) => row['is_volatile'] !== true)),
    volatile: namesOf(functions.filter((row) => row['is_volatile'] === true)),
    types: namesOf(await run(TYPES)),
    operators: namesOf(await run(OPERATORS)),
  }
}

const MAX_LINE_LENGTH = 116

function filled(names: readonly string[]): string {
  const lines: string[] = []
  let line = ''
  for (const name of names) {
    if (line.length + name.length + 1 > MAX_LINE_LENGTH) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? name : `${line} ${name}`
  }
  return [...lines, line].map((each) => `  ${each}\n`).join('')
}

/** Replace the list that a constant of a source file holds; everything around it stays. */
export function withList(source: string, constant: string, names: readonly string[]): string {
  const opening = `export const ${constant}: ReadonlySet<string> = words(\``
  const start = source.indexOf(opening)
  const end = source.indexOf('`)', start)
  if (start === -1 || end === -1) throw new Error(`there is no list ${constant}`)
  return `${source.slice(0, start)}${opening}\n${filled(names)}${source.slice(end)}`
}
