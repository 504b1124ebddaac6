/** The pure codecs: whatever goes in comes out. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parquet } from '#lib/adapters/parquet/index.ts'
import type { ColumnBatch } from '#lib/ports/index.ts'
import { MAX_DECIMAL_FIELD_BYTES, readDecimal, writeDecimal } from '#lib/recovery/copy/decimal.ts'
import { postgresFromUnix, unixFromPostgres } from '#lib/recovery/copy/instant.ts'
import { decodeNumeric, encodeNumeric } from '#lib/recovery/copy/numeric-text.ts'
import { memoryStore } from '#test/support/recovery/memory-store.ts'

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength })

const decimalText = fc.tuple(fc.boolean(), digits(40), digits(40)).map(([isNegative, whole, fraction]) => {
  const head = whole.replace(/^0+/, '') || '0'
  const isZero = /^0*$/.test(whole + fraction)
  return `${isNegative && !isZero ? '-' : ''}${head}${fraction === '' ? '' : `.${fraction}`}`
})

test('decimal text is the same after its binary form', () => {
  fc.assert(
    fc.property(decimalText, (text) => {
      expect(decodeNumeric(viewOf(encodeNumeric(text)), 0)).toBe(text)
    }),
    { numRuns: 2_000 },
  )
})

test('unscaled integers are the same after the binary numeric of any scale', () => {
  const bytes = new Uint8Array(MAX_DECIMAL_FIELD_BYTES)
  const limit = 10n ** 18n - 1n
  const property = fc.property(fc.bigInt(-limit, limit), fc.integer({ min: 0, max: 18 }), (value, scale) => {
    const length = writeDecimal(viewOf(bytes), 0, value, scale)
    expect(length).toBeLessThanOrEqual(bytes.length)
    expect(BigInt(readDecimal(viewOf(bytes), 0, 18, scale) ?? 'none')).toBe(value)
    const small = value / 10n ** 6n
    writeDecimal(viewOf(bytes), 0, Number(small), scale)
    expect(BigInt(readDecimal(viewOf(bytes), 0, 18, scale) ?? 'none')).toBe(small)
  })
  fc.assert(property, { numRuns: 5_000 })
})

test('the shift of instants is undone for each of the 2^64 counts, and keeps infinity', () => {
  const edges = [0n, 2n ** 63n - 1n, -(2n ** 63n), 9_222_425_352_054_775_807n, -(2n ** 63n) + 946_684_800_000_000n]
  const count = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(...edges))
  fc.assert(
    fc.property(count, (value) => {
      expect(postgresFromUnix(unixFromPostgres(value))).toBe(value)
      expect(unixFromPostgres(postgresFromUnix(value))).toBe(value)
    }),
    { numRuns: 5_000, examples: edges.map((edge) => [edge]) },
  )
  expect(unixFromPostgres(2n ** 63n - 1n)).toBe(2n ** 63n - 1n)
})

const FIXED = { boolean: 1, int32: 4, int64: 8, float: 4, double: 8, fixed16: 16 } as const
const physical = fc.constantFrom(...(Object.keys(FIXED) as (keyof typeof FIXED)[]), 'bytes' as const)

/** A column of `rowCount` random values, some NULL. */
const column = (rowCount: number) =>
  physical.chain((kind) => {
    const value =
      kind === 'bytes'
        ? fc.uint8Array({ maxLength: 40 })
        : kind === 'boolean'
          ? fc.nat(1).map((bit) => Uint8Array.of(bit))
          : fc.uint8Array({ minLength: FIXED[kind], maxLength: FIXED[kind] })
    return fc.array(fc.option(value), { minLength: rowCount, maxLength: rowCount }).map((values) => {
      const present = values.filter((entry) => entry !== null)
      const bytes = Buffer.concat(
        present.flatMap((entry) => (kind === 'bytes' ? [Uint8Array.from([entry.length, 0, 0, 0]), entry] : [entry])),
      )
      const nullCount = values.length - present.length
      const nulls = Uint8Array.from(values, (entry) => (entry === null ? 1 : 0))
      return { kind, values: nullCount === 0 ? { bytes, nullCount } : { bytes, nullCount, nulls } }
    })
  })

test('a Parquet part gives back the batches that were written', async () => {
  const table = fc
    .integer({ min: 1, max: 60 })
    .chain((rowCount) => fc.tuple(fc.constant(rowCount), fc.array(column(rowCount), { minLength: 1, maxLength: 6 })))
  const property = fc.asyncProperty(table, async ([rowCount, columns]) => {
    const objects = memoryStore()
    const upload = await objects.openUpload('part')
    const writer = await parquet.openWriter(
      upload,
      columns.map(({ kind }, index) => ({ name: `c${index}`, physical: kind, logical: { kind: 'none' } })),
    )
    const batch: ColumnBatch = { rowCount, columns: columns.map(({ values }) => values) }
    await writer.writeGroup(batch)
    await writer.writeGroup(batch)
    await writer.finish()
    expect((await upload.commit()).sizeBytes).toBe(writer.sizeBytes)
    const reader = await parquet.openReader(objects, 'part')
    expect([reader.rowCount, reader.groupCount]).toEqual([rowCount * 2, 2])
    for (const group of [0, 1]) {
      const read = await reader.readGroup(group)
      for (const [index, { values }] of columns.entries()) {
        expect(Buffer.from(read.columns[index]?.bytes ?? []).equals(Buffer.from(values.bytes))).toBe(true)
        expect(read.columns[index]?.nulls).toEqual('nulls' in values ? values.nulls : undefined)
      }
    }
  })
  await fc.assert(property, { numRuns: 150 })
})
