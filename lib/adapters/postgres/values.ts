/** Text that the server sends for a value → a JSON value that loses nothing. */
import type { JsonValue } from '#lib/kernel/index.ts'

const BOOL = 16
const INT2 = 21
const INT4 = 23
const OID = 26
const FLOAT4 = 700
const FLOAT8 = 701
const JSON_TYPE = 114
const JSONB = 3802

function float(text: string): JsonValue {
  const value = Number(text)
  return Number.isFinite(value) ? value : text
}

/** Numbers beyond 2^53 inside a document would change in `JSON.parse`; such documents stay text. */
function document(text: string): JsonValue {
  if (/\d{16}/.test(text)) return text
  return JSON.parse(text) as JsonValue
}

/** 64-bit integers, numerics, times and everything else without an exact JSON form stay the server's text. */
export function jsonValueOf(typeOid: number): (text: string) => JsonValue {
  switch (typeOid) {
    case BOOL:
      return (text) => text === 't'
    case INT2:
    case INT4:
    case OID:
      return Number
    case FLOAT4:
    case FLOAT8:
      return float
    case JSON_TYPE:
    case JSONB:
      return document
    default:
      return (text) => text
  }
}

/** For `pg`: the parsers above by type. */
export const JSON_TYPES = { getTypeParser: (typeOid: number) => jsonValueOf(typeOid) }
