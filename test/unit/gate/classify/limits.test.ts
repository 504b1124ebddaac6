import { beforeAll, describe, expect, it } from 'vitest'
import { classify, loadClassifier, MAX_STATEMENT_BYTES } from '#lib/gate/classify/index.ts'
import { nestingOf } from '#lib/gate/classify/nesting.ts'
import { isCostlyToScan, piecesOf, topLevelWords } from '#lib/gate/classify/pieces.ts'
import { depthOf } from '#lib/gate/classify/tree/depth.ts'
import { classified, refused } from '#test/support/classify/classified.ts'

beforeAll(loadClassifier)

const SHAPES: readonly (readonly [string, (n: number) => string])[] = [
  ['brackets', (n) => `SELECT ${'('.repeat(n)}1${')'.repeat(n)}`],
  ['NOT', (n) => `SELECT ${'NOT '.repeat(n)}true`],
  ['operators', (n) => `SELECT 1${'+1'.repeat(n)}`],
  ['signs', (n) => `SELECT ${'- '.repeat(n)}1`],
  ['sub-selects', (n) => `SELECT ${'(SELECT '.repeat(n)}1${')'.repeat(n)}`],
  ['derived tables', (n) => `${'SELECT * FROM ('.repeat(n)}SELECT 1${') x'.repeat(n)}`],
  ['CASE', (n) => `SELECT ${'CASE WHEN a THEN '.repeat(n)}1${' END'.repeat(n)}`],
  ['CASE with OR', (n) => `SELECT ${'CASE WHEN a OR b THEN 1 ELSE '.repeat(n)}1${' END'.repeat(n)}`],
  ['arrays', (n) => `SELECT ARRAY${'['.repeat(n)}1${']'.repeat(n)}`],
  ['calls', (n) => `SELECT ${'f('.repeat(n)}1${')'.repeat(n)}`],
  ['calls after a comma', (n) => `SELECT ${'f(a, '.repeat(n)}1${')'.repeat(n)}`],
  ['casts', (n) => `SELECT 1${'::int'.repeat(n)}`],
  ['UNION', (n) => `SELECT 1${' UNION SELECT 1, 2'.repeat(n)}`],
  ['joins', (n) => `SELECT 1 FROM a${' JOIN b ON x AND y'.repeat(n)}`],
  ['CTEs', (n) => `${'WITH a AS ('.repeat(n)}SELECT 1${') SELECT 1'.repeat(n)}`],
  ['COLLATE', (n) => `SELECT a${' COLLATE "C"'.repeat(n)}`],
  ['AT TIME ZONE', (n) => `SELECT a${" AT TIME ZONE 'x'".repeat(n)}`],
  ['rows', (n) => `SELECT ${'(1, '.repeat(n)}1${')'.repeat(n)}`],
  ['EXISTS', (n) => `SELECT ${'EXISTS (SELECT 1 WHERE '.repeat(n)}true${')'.repeat(n)}`],
  ['brackets behind an escaped quote', (n) => `SELECT E'a'\n'\\'' || ${'('.repeat(n)}1${')'.repeat(n)}`],
]

describe('a text that nests too deeply', () => {
  it.each(SHAPES)('is refused in every shape and harms nothing: %s', (_name, shape) => {
    for (const levels of [1_200, 6_000, 20_000]) {
      const text = shape(levels)
      if (Buffer.byteLength(text) < MAX_STATEMENT_BYTES) expect(refused(text).code).toBe('TOO_DEEP')
    }
    expect(classified('SELECT 1').level).toBe('SAFE')
  })

  it('is accepted in every shape at an ordinary depth', () => {
    expect(SHAPES.length).toBeGreaterThanOrEqual(20)
    for (const [name, shape] of SHAPES) expect(classify(shape(60)).ok, name).toBe(true)
  })

  it('is not refused for being long', () => {
    const texts = [
      `SELECT * FROM t WHERE a IN (${'1,'.repeat(20_000)}1)`,
      `INSERT INTO t VALUES ${'(1, -1),'.repeat(10_000)}(1, 1)`,
      `SELECT * FROM t WHERE ${'a = 1 AND NOT b OR '.repeat(5_000)}true`,
      `SELECT ${'CASE WHEN a = 1 THEN 2 END, '.repeat(4_000)}1`,
      `SELECT 1 -- ${'='.repeat(3_000)}\n/${'*'.repeat(3_000)}/`,
    ]
    expect(texts.map((text) => classify(text).ok)).toEqual(texts.map(() => true))
  })

  it('is refused where the caller has left little stack, and harms nothing', () => {
    const text = `SELECT ${'NOT '.repeat(980)}true`
    const below = (frames: number): boolean =>
      frames === 0 ? typeof classify(text).ok === 'boolean' : below(frames - 1)
    for (const frames of [0, 2_000, 5_000]) expect(below(frames)).toBe(true)
    expect(classified('SELECT 1').level).toBe('SAFE')
  })

  it('is counted from the text as from the tree', () => {
    expect(nestingOf('SELECT ((1))')).toBe(2)
    expect(nestingOf('SELECT a, -b, NOT c')).toBe(1)
    expect(nestingOf('SELECT \'((((\', "((((", $$((($$ -- ((((\n/* ((( */')).toBe(0)
    expect(nestingOf("SELECT 'a")).toBeUndefined()
    expect(depthOf({ A: { b: [{ C: { d: 1 } }] } }, 10)).toBe(1.5)
  })
})

describe('a text that would cost the parser dearly', () => {
  it('is refused', () => {
    expect(refused(`SELECT 1 ${'/*'.repeat(20_000)}${'*/'.repeat(20_000)}`).code).toBe('TOO_DEEP')
    expect(refused(`SELECT ${'+'.repeat(40_000)}1`).code).toBe('TOO_DEEP')
  })

  it('is none when the symbols stand in a literal or a plain comment', () => {
    expect(isCostlyToScan(`SELECT '${'+'.repeat(5_000)}'`)).toBe(false)
    expect(isCostlyToScan(`SELECT 1 -- ${'-'.repeat(5_000)}`)).toBe(false)
    expect(isCostlyToScan(`SELECT 1 + ${'+'.repeat(300)}1`)).toBe(true)
  })
})

describe('pieces', () => {
  const texts = (text: string) => [...piecesOf(text)].map(({ start, end }) => text.slice(start, end))

  it('end where the parser ends them', () => {
    expect(texts("E'a\\'b' 'c\\' U&'d' b'1' $x$ ' $x$ a$1 $1 \"q\"\"r\" /* /* */ */ -- end")).toEqual([
      "E'a\\'b'",
      "'c\\'",
      "U&'d'",
      "b'1'",
      "$x$ ' $x$",
      'a$1',
      '$1',
      '"q""r"',
      '/* /* */ */',
      '-- end',
    ])
  })

  it('outside brackets are words with their places', () => {
    expect(topLevelWords('SELECT (a) FROM "T"')?.map(({ word }) => word)).toEqual(['select', 'from', '"t"'])
    expect(topLevelWords('SELECT (a')).toBeUndefined()
    expect(topLevelWords('SELECT a)')).toBeUndefined()
  })
})
