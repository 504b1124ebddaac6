/** Chooses how each column is stored: a typed form where one is exact, else the server's output text. */
import type { ColumnEncoding } from '../copy/index.ts'
import { MAX_DECIMAL_PRECISION } from '../copy/index.ts'
import type { ReadForm } from './content-digest.ts'

/** A column's type behind any domains, as the catalog has it. */
export interface BaseType {
  readonly oid: number
  /** pg_type.typtype. */
  readonly kind: string
  readonly modifier: number
  /** The type and everything that its values are made of, by oid and pg_type.typtype; `a` for arrays. */
  readonly parts: readonly { readonly oid: number; readonly kind: string }[]
  /** Built-in functions behind the binary form; null for others. */
  readonly send: string | null
  readonly receive: string | null
}

/** Built-in types by their fixed oid, with the form that holds each of their values exactly. */
const BUILT_IN: ReadonlyMap<number, ColumnEncoding> = new Map(
  Object.entries({
    boolean: [16],
    binary: [17, 18], // bytea, "char"
    string: [19, 25, 1042, 1043], // name, text, bpchar, varchar
    int64: [20, 790, 3220, 5069], // int8, money, pg_lsn, xid8
    int16: [21],
    int32: [23],
    // oid, xid, cid, regproc, regprocedure, regoper, regoperator, regclass, regtype, regconfig, regdictionary, regnamespace, regrole, regcollation
    uint32: [26, 28, 29, 24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191],
    json: [114],
    float: [700],
    double: [701],
    date: [1082],
    time: [1083],
    timestamp: [1114],
    timestamptz: [1184],
    uuid: [2950],
    jsonb: [3802],
    xml: [142],
  } as const).flatMap(([kind, oids]) => oids.map((oid) => [oid, { kind } as ColumnEncoding] as const)),
)

const NUMERIC_OID = 1700
const NUMERIC_HEADER = 4

/** Types whose text cannot be read back: node trees, statistics, keys of text search indexes. */
export const ONE_WAY_OIDS: ReadonlySet<number> = new Set([194, 3361, 3402, 3642, 4600, 4601, 5017, 269, 32])

/** Undefined when no exact form is known. */
export function planEncoding(type: BaseType): ColumnEncoding | undefined {
  if (type.oid === NUMERIC_OID) return numericEncoding(type.modifier)
  const builtIn = BUILT_IN.get(type.oid)
  if (builtIn !== undefined) return builtIn
  if (type.kind === 'e') return { kind: 'enum' }
  // An array or a composite can be read back only if all that it holds can.
  if (type.parts.some(({ oid, kind }) => kind === 'p' || ONE_WAY_OIDS.has(oid))) return undefined
  // citext and its like: text under another name, with other operators.
  if (type.send === 'textsend' && type.receive === 'textrecv') return { kind: 'string' }
  return { kind: 'text' }
}

/** The form to fall back to when a value does not fit: any decimal text. */
export function widerEncoding(encoding: ColumnEncoding): ColumnEncoding | undefined {
  return encoding.kind === 'decimal' ? { kind: 'numeric' } : undefined
}

/**
 * Types whose hash function (of text: under the "C" collation) tells any two different values apart, apart from chance. Not among them: numbers with equal
 * values of different form (numeric, float) and documents of them, text with looser equality (citext, bpchar), enums (hashed by oid).
 */
const EXACT_HASH_OIDS: ReadonlySet<number> = new Set([16, 17, 20, 21, 23, 25, 26, 1043, 1082, 1083, 1114, 1184, 2950])
/** Hashed by another form of theirs, exact and cheaper than within a row's text: real, double precision, numeric, json, jsonb. */
const EXACT_FORM_OIDS: ReadonlySet<number> = new Set([700, 701, NUMERIC_OID, 114, 3802])
/** Hashed as the oid that they are: their text is a name, which goes with the object that it names. */
const NAMING_OIDS: ReadonlySet<number> = new Set([24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191])

const XML_ARRAY_OID = 143
/** Arrays of what names objects: their text would name what may be gone at the time of a restore. */
const NAMING_ARRAY_OIDS: ReadonlySet<number> = new Set([
  1008, 2207, 2208, 2209, 2210, 2211, 3735, 3770, 4090, 4097, 4192,
])

/** The type as which a column has to be read, where its own output leaves something out. */
export function readFormOf(type: BaseType): ReadForm | undefined {
  if (type.oid === XML_ARRAY_OID) return 'text[]'
  return NAMING_ARRAY_OIDS.has(type.oid) ? 'oid[]' : undefined
}

/** Whether the digest takes the column in by itself: `hashedField` has the form. */
export function hasExactHash({ oid }: BaseType): boolean {
  return EXACT_HASH_OIDS.has(oid) || EXACT_FORM_OIDS.has(oid) || NAMING_OIDS.has(oid)
}

/** Of `numeric(precision, scale)`; the scale has eleven bits and may be negative. */
function numericEncoding(modifier: number): ColumnEncoding {
  if (modifier < NUMERIC_HEADER) return { kind: 'numeric' }
  const packed = modifier - NUMERIC_HEADER
  const precision = (packed >> 16) & 0xffff
  const scale = ((packed & 0x7ff) ^ 1024) - 1024
  const isDecimal = precision <= MAX_DECIMAL_PRECISION && scale >= 0 && scale <= precision
  return isDecimal ? { kind: 'decimal', precision, scale } : { kind: 'numeric' }
}
