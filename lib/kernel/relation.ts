/** Names of relations as the catalog stores them, and their quoted SQL text. */
export interface RelationName {
  readonly schema: string
  readonly name: string
}

/** Quote one identifier, always: `a"b` → `"a""b"`. */
export function quoteIdentifier(identifier: string): string {
  if (identifier.includes('\0')) throw new TypeError('an identifier cannot hold a NUL character')
  return `"${identifier.replaceAll('"', '""')}"`
}

export function quoteRelation(relation: RelationName): string {
  return `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`
}

/** Quote a string literal, safe under every setting of standard_conforming_strings. */
export function quoteLiteral(text: string): string {
  if (text.includes('\0')) throw new TypeError('a literal cannot hold a NUL character')
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return text.includes('\\') ? ` E${quoted}` : quoted
}

/** For people: `public.orders`. */
export function displayRelation(relation: RelationName): string {
  return `${relation.schema}.${relation.name}`
}
