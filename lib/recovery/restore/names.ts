/** Names of the recovered table and of what belongs to it. */
import { createHash } from 'node:crypto'
import type { RelationName } from '#lib/kernel/index.ts'

/** PostgreSQL cuts identifiers after so many bytes. */
const MAX_IDENTIFIER_BYTES = 63
const HASH_DIGITS = 8

/** `orders` → `orders_recovered`, within the length limit. */
export function defaultTarget(source: RelationName): RelationName {
  return { schema: source.schema, name: fitIdentifier(`${source.name}_recovered`) }
}

/** Where rows go that the snapshot does not know: `orders_recovered` → `orders_recovered_aside`. */
export function asideOf(recovered: RelationName): RelationName {
  return { schema: recovered.schema, name: fitIdentifier(`${recovered.name}_aside`) }
}

/** Index and sequence names are unique in a schema, so that those of the target take its name in front. */
export function derivedName(target: RelationName, original: string): string {
  return fitIdentifier(`${target.name}_${original}`)
}

/** A name that is too long keeps its beginning and ends in a digest of the whole. */
export function fitIdentifier(name: string): string {
  const bytes = Buffer.from(name)
  if (bytes.length <= MAX_IDENTIFIER_BYTES) return name
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, HASH_DIGITS)
  const kept = bytes
    .subarray(0, MAX_IDENTIFIER_BYTES - HASH_DIGITS - 1)
    .toString('utf8')
    .replace(/\uFFFD+$/u, '')
  return `${kept}_${digest}`
}
