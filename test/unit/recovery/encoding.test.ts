import { expect, test } from 'vitest'
import type { BaseType } from '#lib/recovery/snapshot/index.ts'
import { planEncoding, widerEncoding } from '#lib/recovery/snapshot/index.ts'

const type = (oid: number, extra: Partial<BaseType> = {}): BaseType => ({
  oid,
  kind: 'b',
  modifier: -1,
  send: null,
  receive: null,
  parts: [{ oid, kind: extra.kind ?? 'b' }],
  ...extra,
})
/** As PostgreSQL packs numeric(precision, scale). */
const numeric = (precision: number, scale: number) =>
  type(1700, { modifier: ((precision << 16) | (scale & 0x7ff)) + 4 })

test.for([
  ['boolean', type(16), { kind: 'boolean' }],
  ['bigint', type(20), { kind: 'int64' }],
  ['jsonb', type(3802), { kind: 'jsonb' }],
  ['integer[]', type(1007), { kind: 'text' }],
  ['interval', type(1186), { kind: 'text' }],
  ['an enum', type(50_000, { kind: 'e' }), { kind: 'enum' }],
  ['a composite', type(50_000, { kind: 'c' }), { kind: 'text' }],
  [
    'a type that sends plain text, such as citext',
    type(50_000, { send: 'textsend', receive: 'textrecv' }),
    { kind: 'string' },
  ],
  ['a type that only sends plain text', type(50_000, { send: 'textsend' }), { kind: 'text' }],
  ['a node tree', type(194), undefined],
  ['an array of node trees', type(50_000, { parts: [{ oid: 194, kind: 'b' }] }), undefined],
  ['a composite with a pseudo-type', type(50_000, { kind: 'c', parts: [{ oid: 2277, kind: 'p' }] }), undefined],
  ['a pseudo-type', type(2249, { kind: 'p' }), undefined],
  ['numeric', type(1700), { kind: 'numeric' }],
  ['numeric(12,2)', numeric(12, 2), { kind: 'decimal', precision: 12, scale: 2 }],
  ['numeric(18,18)', numeric(18, 18), { kind: 'decimal', precision: 18, scale: 18 }],
  ['numeric(19,2)', numeric(19, 2), { kind: 'numeric' }],
  ['numeric(3,-2)', numeric(3, -2), { kind: 'numeric' }],
  ['numeric(2,5)', numeric(2, 5), { kind: 'numeric' }],
] as const)('%s is stored in a form that is exact', ([, base, expected]) => {
  expect(planEncoding(base)).toEqual(expected)
})

test('a decimal widens to decimal text, and nothing else widens', () => {
  expect(widerEncoding({ kind: 'decimal', precision: 5, scale: 2 })).toEqual({ kind: 'numeric' })
  expect(widerEncoding({ kind: 'int32' })).toBeUndefined()
})
