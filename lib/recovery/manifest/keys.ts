/** Where a snapshot's objects lie. Every identifier gives a legal, distinct path. */
import type { RelationName } from '#lib/kernel/index.ts'

export const SNAPSHOT_PREFIX = 'snapshots/'
const MANIFEST_NAME = 'manifest.json'
const PART_DIGITS = 5
const PLAIN_CHARACTER = /^[A-Za-z0-9_-]$/

/** UTF-8 bytes other than letters, digits, `_` and `-` as `%XX`: `a.b` → `a%2Eb`. */
export function encodeSegment(identifier: string): string {
  let segment = ''
  for (const byte of Buffer.from(identifier)) {
    const character = String.fromCharCode(byte)
    segment += PLAIN_CHARACTER.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return segment
}

export function tablePrefix(relation: RelationName): string {
  return `${SNAPSHOT_PREFIX}${encodeSegment(relation.schema)}/${encodeSegment(relation.name)}/`
}

export function snapshotPrefix(relation: RelationName, snapshotId: string): string {
  return `${tablePrefix(relation)}${snapshotId}/`
}

export function manifestKey(relation: RelationName, snapshotId: string): string {
  return `${snapshotPrefix(relation, snapshotId)}${MANIFEST_NAME}`
}

/** Which part of a snapshot: keys sort by range and number. */
export interface PartPlace {
  /** The range of the table that it was read from. */
  readonly range: number
  /** Within the range. */
  readonly number: number
  /** Of the attempt that wrote it, eight hexadecimal digits: two attempts at one range never meet. */
  readonly attempt: string
}

export function partKey(relation: RelationName, snapshotId: string, place: PartPlace): string {
  const digits = (value: number) => String(value).padStart(PART_DIGITS, '0')
  const name = `part-${digits(place.range)}-${digits(place.number)}-${place.attempt}.parquet`
  return `${snapshotPrefix(relation, snapshotId)}${name}`
}

export function isManifestKey(key: string): boolean {
  return key.startsWith(SNAPSHOT_PREFIX) && key.endsWith(`/${MANIFEST_NAME}`)
}
