/** Reads what a table needs from outside, in an order in which it can be made. */
import { quoteIdentifier } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { GrantDefinition, RequiredObject } from '../manifest/index.ts'
import { REQUIRED_SQL } from './required-sql.ts'

interface CatalogObject {
  readonly id: string
  readonly needs: readonly string[]
  readonly memberOf: string | null
  readonly isNeededForRows: boolean
  /** Null for what stands for others, such as an array for its elements' type. */
  readonly kind: string | null
  readonly schema: string | null
  readonly name: string
  readonly identity: string
  readonly version: string | null
  readonly create: readonly string[] | null
  /** As ALTER and GRANT name it; null when it has neither. */
  readonly handle: string | null
  readonly owner: string | null
  readonly labels: readonly string[]
  readonly grants: readonly GrantDefinition[]
}

/** Settings must be FIXED_SETTINGS. What comes with an extension is not listed: the extension is. */
export async function readRequired(session: DatabaseSession, oid: number): Promise<RequiredObject[]> {
  const rows = await session.query<{ required: string }>(REQUIRED_SQL, [oid])
  const objects = JSON.parse(rows[0]?.required ?? '[]') as CatalogObject[]
  return inOrder(objects).flatMap((object) => {
    if (object.kind === null || object.memberOf !== null) return []
    const { kind, schema, name, identity, isNeededForRows, version, labels, create } = object
    return [
      {
        kind,
        schema,
        name,
        identity,
        isNeededForRows,
        version,
        labels: [...labels],
        create: create === null ? null : [...create],
        finish: create === null ? [] : finishing(object),
      },
    ]
  })
}

/** What an object needs comes before it. Circles do exist, between a type and its functions: then any order. */
function inOrder(objects: readonly CatalogObject[]): CatalogObject[] {
  const byId = new Map(objects.map((object) => [object.id, object]))
  const ordered = new Set<CatalogObject>()
  const visited = new Set<string>()
  const visit = (object: CatalogObject) => {
    if (visited.has(object.id)) return
    visited.add(object.id)
    for (const id of object.needs) {
      const needed = byId.get(id)
      if (needed !== undefined) visit(needed)
    }
    ordered.add(object)
  }
  for (const object of objects) visit(object)
  return [...ordered]
}

/** Grants first: afterwards the restoring role may no longer grant. */
function finishing({ handle, owner, grants }: CatalogObject): string[] {
  if (handle === null) return []
  const given = grants
    .filter(({ grantee }) => grantee !== owner)
    .map(({ grantee, privilege, isGrantable }) => {
      const to = grantee === '' ? 'PUBLIC' : quoteIdentifier(grantee)
      return `GRANT ${privilege} ON ${handle} TO ${to}${isGrantable ? ' WITH GRANT OPTION' : ''}`
    })
  return owner === null ? given : [...given, `ALTER ${handle} OWNER TO ${quoteIdentifier(owner)}`]
}
