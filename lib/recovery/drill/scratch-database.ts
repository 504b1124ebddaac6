/** The database that a drill restores into: made for it on the target's server, and dropped by name and mark. */
import { BackstopError, isBackstopError, quoteIdentifier, quoteLiteral } from '#lib/kernel/index.ts'
import type { Database } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { describeFailure } from '../failure.ts'
import { SCRATCH_MARK, SCRATCH_NAME_PATTERN, SCRATCH_PREFIX } from '../scratch.ts'
import type { Finding } from './model.ts'

const DENIED = '42501'
/** Databases that a server has, to be connected to while another one is made. */
const MAINTENANCE = ['postgres', 'template1']

/** Throws DATABASE_UNREACHABLE, CONFIG_INVALID. */
export type OpenDatabase = (url: string) => Promise<Database>

export function urlOfDatabase(url: string, name: string): string {
  const other = new URL(url)
  other.pathname = `/${encodeURIComponent(name)}`
  return other.href
}

/**
 * A connection to the server of `url`: its maintenance database, else the named one, which need not be there.
 *
 * Throws: DATABASE_UNREACHABLE
 */
export async function openServer(open: OpenDatabase, url: string): Promise<Database> {
  let first: unknown
  for (const name of [...MAINTENANCE, undefined]) {
    try {
      return await open(name === undefined ? url : urlOfDatabase(url, name))
    } catch (error) {
      if (!isBackstopError(error, 'DATABASE_UNREACHABLE')) throw error
      first ??= error
    }
  }
  throw first
}

/** Closed to everybody else before anything is in it. Throws DRILL_REFUSED when the role may not make a database. */
export async function createScratchDatabase(server: Database, source: Database, drillId: string): Promise<string> {
  const name = `${SCRATCH_PREFIX}${drillId.slice(drillId.indexOf('_') + 1)}`
  const quoted = quoteIdentifier(name)
  const like = await readLike(source)
  try {
    await server.withDedicatedSession(async (session) => {
      await session.execute(
        `CREATE DATABASE ${quoted} TEMPLATE template0 ENCODING ${quoteLiteral(like.encoding)} LC_COLLATE ${quoteLiteral(like.collate)} LC_CTYPE ${quoteLiteral(like.ctype)}`,
      )
      await session.execute(
        `COMMENT ON DATABASE ${quoted} IS ${quoteLiteral(`${SCRATCH_MARK}${JSON.stringify({ drillId })}`)}`,
      )
      await session.execute(`REVOKE ALL ON DATABASE ${quoted} FROM PUBLIC`)
    })
  } catch (error) {
    if (!(error instanceof StatementError) || error.failure.sqlState !== DENIED) throw error
    throw new BackstopError('DRILL_REFUSED', `the role may not make a database: ${error.failure.message}`)
  }
  return name
}

interface Like {
  readonly encoding: string
  readonly collate: string
  readonly ctype: string
}

async function readLike(source: Database): Promise<Like> {
  const [like] = await source.withSession((session) =>
    session.query<Like>(
      `SELECT pg_encoding_to_char(encoding)::text AS encoding, datcollate::text AS collate, datctype::text AS ctype
         FROM pg_database WHERE datname = current_database()`,
    ),
  )
  return like ?? { encoding: 'UTF8', collate: 'C', ctype: 'C' }
}

/** Returns the reason when it would not go. */
export async function dropScratchDatabase(server: Database, name: string): Promise<string | undefined> {
  try {
    await server.withDedicatedSession((session) =>
      session.execute(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`),
    )
    return undefined
  } catch (error) {
    return describeFailure(error).reason
  }
}

const LEFTOVERS_SQL = `
  SELECT datname::text AS name, starts_with(shobj_description(oid, 'pg_database'), $2) AS "isMarked"
    FROM pg_database WHERE datname ~ $1 ORDER BY 1`

/** Under the drill lock every marked one is what a killed drill left. One without its mark is told of and left alone. */
export async function clearScratchDatabases(server: Database): Promise<{ dropped: string[]; kept: Finding[] }> {
  const found = await server.withSession((session) =>
    session.query<{ name: string; isMarked: boolean | null }>(LEFTOVERS_SQL, [SCRATCH_NAME_PATTERN, SCRATCH_MARK]),
  )
  const dropped: string[] = []
  const kept: Finding[] = []
  for (const { name, isMarked } of found) {
    const problem =
      isMarked === true ? await dropScratchDatabase(server, name) : 'it does not carry the mark of a drill'
    if (problem === undefined) dropped.push(name)
    else kept.push({ subject: `database ${name}`, reason: problem })
  }
  return { dropped, kept }
}
