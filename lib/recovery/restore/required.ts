/** Looks for what a table needs from outside before anything is restored, and makes what is missing and can be made. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, quoteIdentifier } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import type { Manifest, RequiredObject } from '../manifest/index.ts'
import type { NotRebuilt } from './model.ts'

const SAVEPOINT = 'backstop_required'

/** `$1`: the objects as JSON; the places of those that are there. Kinds that it does not know are not looked for. */
const PRESENT_SQL = `
  SELECT w.place FROM json_to_recordset($1::json) AS w(place integer, kind text, schema text, name text, identity text)
   WHERE CASE w.kind
     WHEN 'schema' THEN EXISTS (SELECT FROM pg_namespace WHERE nspname = w.name)
     WHEN 'type' THEN EXISTS (SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = w.schema AND t.typname = w.name)
     WHEN 'function' THEN EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
       WHERE n.nspname = w.schema AND p.proname = w.name
         AND (SELECT o.identity FROM pg_identify_object('pg_proc'::regclass, p.oid, 0) o) = w.identity)
     WHEN 'operator' THEN EXISTS (SELECT FROM pg_operator p JOIN pg_namespace n ON n.oid = p.oprnamespace
       WHERE n.nspname = w.schema AND p.oprname = w.name
         AND (SELECT o.identity FROM pg_identify_object('pg_operator'::regclass, p.oid, 0) o) = w.identity)
     WHEN 'operator class' THEN EXISTS (SELECT FROM pg_opclass p JOIN pg_namespace n ON n.oid = p.opcnamespace WHERE n.nspname = w.schema AND p.opcname = w.name)
     WHEN 'collation' THEN EXISTS (SELECT FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE n.nspname = w.schema AND c.collname = w.name)
     WHEN 'text search configuration' THEN EXISTS (SELECT FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace WHERE n.nspname = w.schema AND c.cfgname = w.name)
     WHEN 'extension' THEN EXISTS (SELECT FROM pg_extension WHERE extname = w.name)
     WHEN 'language' THEN EXISTS (SELECT FROM pg_language WHERE lanname = w.name)
     WHEN 'access method' THEN EXISTS (SELECT FROM pg_am WHERE amname = w.name)
     WHEN 'label' THEN EXISTS (SELECT FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
       WHERE n.nspname = w.schema AND t.typname = w.name AND e.enumlabel = w.identity)
     ELSE w.kind NOT IN ('relation', 'sequence')
       OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = w.schema AND c.relname = w.name) END`

export interface RequiredReport {
  /** What was made: `type app.mood`. */
  readonly made: readonly string[]
  /** What is not there and is needed only by parts that follow the rows; those parts will say so themselves. */
  readonly missing: readonly NotRebuilt[]
}

type Sought = Pick<RequiredObject, 'kind' | 'schema' | 'name' | 'identity'>

/**
 * Which of the manifest's required objects are missing.
 *
 * Throws: `REQUIRED_OBJECTS_MISSING` when the rows need one of them that cannot be made again; nothing is made by this function
 */
export async function findMissing(
  session: DatabaseSession,
  manifest: Manifest,
  target: RelationName,
): Promise<readonly RequiredObject[]> {
  const required = manifest.definition.requires ?? []
  const objects = [...required, ...targetSchema(target, required)]
  const missing = withoutIdleSchemas(await absent(session, objects), target)
  const made = new Set(missing)
  const labels = objects
    .filter((object) => !made.has(object) && object.isNeededForRows)
    .flatMap(({ labels: all, schema, name }) => all.map((label) => ({ kind: 'label', schema, name, identity: label })))
  const lostLabels = await absent(session, labels)
  const hopeless = missing.filter(({ isNeededForRows, create }) => isNeededForRows && create === null)
  if (hopeless.length + lostLabels.length === 0) return missing
  const list = [
    ...hopeless.map(nameOf),
    ...lostLabels.map(({ schema, name, identity }) => `label ${identity} of type ${schema}.${name}`),
  ]
  throw new BackstopError(
    'REQUIRED_OBJECTS_MISSING',
    `the table needs what is not in the database: ${list.join(', ')}`,
    {
      details: { missing: list },
    },
  )
}

/** A schema that would stay empty is no loss: the table goes into another one. */
function withoutIdleSchemas(missing: readonly RequiredObject[], target: RelationName): RequiredObject[] {
  const used = new Set([target.schema, ...missing.map(({ schema }) => schema)])
  return missing.filter(({ kind, name }) => kind !== 'schema' || used.has(name))
}

/** What a restore would make, for a plan of it. Throws REQUIRED_OBJECTS_MISSING. */
export async function lookForRequired(
  session: DatabaseSession,
  manifest: Manifest,
  target: RelationName,
): Promise<string[]> {
  const missing = await findMissing(session, manifest, target)
  return missing.filter(({ create }) => create !== null).map(nameOf)
}

/** Where the table is restored into another schema than its own, that one has to be there. */
function targetSchema({ schema }: RelationName, required: readonly RequiredObject[]): RequiredObject[] {
  if (required.length === 0 || required.some(({ kind, name }) => kind === 'schema' && name === schema)) return []
  const identity = quoteIdentifier(schema)
  return [
    {
      kind: 'schema',
      schema: null,
      name: schema,
      identity,
      isNeededForRows: true,
      version: null,
      labels: [],
      create: null,
      finish: [],
    },
  ]
}

async function absent<T extends Sought>(session: DatabaseSession, objects: readonly T[]): Promise<T[]> {
  if (objects.length === 0) return []
  const sought = objects.map(({ kind, schema, name, identity }, place) => ({ place, kind, schema, name, identity }))
  const rows = await session.query<{ place: number }>(PRESENT_SQL, [JSON.stringify(sought)])
  const present = new Set(rows.map(({ place }) => Number(place)))
  return objects.filter((_, place) => !present.has(place))
}

/**
 * Make what is missing, in order, within the restore's transaction.
 *
 * Throws: `REQUIRED_OBJECTS_MISSING` when the server refuses to make what the rows need
 */
export async function makeMissing(
  session: DatabaseSession,
  missing: readonly RequiredObject[],
): Promise<RequiredReport> {
  const made: string[] = []
  const left: NotRebuilt[] = []
  // Bodies may name tables that are not there yet, the restored one among them.
  if (missing.length > 0) await session.execute('SET LOCAL check_function_bodies TO off')
  for (const object of missing) {
    const problem =
      object.create === null ? 'it is not in the database' : await attempt(session, object.create.join('; '))
    if (problem === undefined) {
      made.push(nameOf(object))
      for (const sql of object.finish) {
        const reason = await attempt(session, sql)
        if (reason !== undefined) left.push({ subject: `owner or grants of ${nameOf(object)}`, reason })
      }
    } else if (object.isNeededForRows) {
      throw new BackstopError(
        'REQUIRED_OBJECTS_MISSING',
        `the table needs ${nameOf(object)}, and the server would not make it: ${problem}`,
      )
    } else left.push({ subject: nameOf(object), reason: problem })
  }
  return { made, missing: left }
}

async function attempt(session: DatabaseSession, sql: string): Promise<string | undefined> {
  try {
    await session.execute(`SAVEPOINT ${SAVEPOINT}; ${sql}; RELEASE SAVEPOINT ${SAVEPOINT}`)
    return undefined
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    await session.execute(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`)
    return `${error.failure.message} (${error.failure.sqlState})`
  }
}

function nameOf({ kind, identity, version }: RequiredObject): string {
  return `${kind} ${identity}${version === null ? '' : ` ${version}`}`
}
