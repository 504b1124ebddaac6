/** A raw parse tree as data: what every file here needs to read one. */
import type { Node, RangeVar } from 'libpg-query'
import type { WrittenName } from '../model.ts'
import { GRAMMAR } from './grammar.ts'

/** A node's fields without the wrapper that names its kind. */
export type Fields = Readonly<Record<string, unknown>>

/** Kind → field → `*` for nodes, a kind for an inlined struct, the empty string for a scalar. */
export const FIELDS: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(
  Object.entries(GRAMMAR).map(([kind, text]) => [kind, new Map(text.split(' ').map(fieldOf))]),
)

function fieldOf(text: string): [string, string] {
  const colon = text.indexOf(':')
  return [text.slice(0, colon), text.slice(colon + 1)]
}

/** The kind of a wrapped node; undefined for the empty node that stands for NULL. */
export function kindOf(node: Node | undefined): string | undefined {
  for (const kind in node) return kind
  return undefined
}

/** The fields of a wrapped node of the given kind, else undefined. */
export function fieldsOf<K extends string>(
  node: Node | undefined,
  kind: K,
): (Extract<Node, Record<K, unknown>> extends Record<K, infer F> ? F : never) | undefined {
  return (node as Record<string, never> | undefined)?.[kind]
}

/** The text of a String node, undefined for any other. */
export function textOf(node: Node | undefined): string | undefined {
  const text = fieldsOf(node, 'String')
  return text === undefined ? undefined : (text.sval ?? '')
}

/** The texts of a list of String nodes; other nodes are left out. */
export function textsOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).map(textOf).filter((text) => text !== undefined)
}

/** A dotted name: `[catalog, schema, name]` or fewer parts. */
export function nameFrom(parts: readonly string[]): WrittenName {
  const [name = '', schema, catalog] = parts.toReversed()
  return {
    ...(catalog === undefined ? {} : { catalog }),
    ...(schema === undefined ? {} : { schema }),
    name,
  }
}

export function relationOf(range: RangeVar): WrittenName {
  return {
    ...(range.catalogname === undefined ? {} : { catalog: range.catalogname }),
    ...(range.schemaname === undefined ? {} : { schema: range.schemaname }),
    name: range.relname ?? '',
  }
}
