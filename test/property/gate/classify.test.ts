import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Classification, classify, loadClassifier } from '#lib/gate/classify/index.ts'
import { isAtLeast } from '#lib/kernel/index.ts'
import { readClassifyCases } from '#test/support/corpus/corpus-files.ts'

beforeAll(loadClassifier)

const corpus = [...readClassifyCases().values()]
  .flat()
  .flatMap(({ statements }) => statements)
  .filter((text) => text.length < 2_000)
const anyStatement = fc.constantFrom(...corpus)

const WRITES = [
  "INSERT INTO t VALUES (1, 'x')",
  'INSERT INTO t SELECT * FROM u ON CONFLICT (a) DO UPDATE SET b = 1',
  'UPDATE t SET a = 1 WHERE id = 3',
  'UPDATE t SET a = 1',
  'UPDATE t SET a = 1 WHERE true',
  'DELETE FROM t WHERE id = 1',
  'DELETE FROM t',
  'DELETE FROM t USING u WHERE u.id = t.id',
  "DELETE FROM t WHERE name LIKE '%'",
  'MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE',
]
const anyWrite = fc.constantFrom(...WRITES)

/** The answer without what white space may change: the digest, and where the text of the impact query stands. */
function essence(classification: Classification): unknown {
  if (!classification.ok) return { ok: false, code: classification.code }
  const { textSha256, impact, ...rest } = classification
  return { ...rest, hasDigest: textSha256.length, impact: impact?.target }
}

/** Words and gaps of a statement without quotes, comments and dollar signs: what may be respelled freely. */
const plain = corpus.filter(
  (text) => /^[\w \n\t(),.*=<>+;[\]:-]*$/.test(text) && !text.includes('--') && text.length > 0,
)

describe('classification', () => {
  it('is stable under white space, comments and keyword case', () => {
    expect(plain.length).toBeGreaterThan(100)
    const gap = fc.constantFrom(
      ' ',
      '\n',
      '\t',
      '  \r\n ',
      ' /* x; DELETE FROM t */ ',
      ' -- DROP TABLE t\n',
      ' /* a /* b */ */ ',
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...plain),
        fc.array(gap, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (text, gaps, isUpper) => {
          let at = 0
          const spaced = text.replaceAll(/\s+/g, () => gaps[at++ % gaps.length] as string)
          const respelled = isUpper ? spaced.replaceAll(/[a-z]+(?![^/]*\*\/)/gi, (word) => word.toUpperCase()) : spaced
          const before = classify(text)
          const after = classify(respelled)
          expect(essence(after)).toEqual(essence(before))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('never throws on any string', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ unit: 'grapheme', maxLength: 200 })),
        (text) => {
          expect(typeof classify(text).ok).toBe('boolean')
        },
      ),
      { numRuns: 1_500 },
    )
  })

  it('never throws on mutated statements, and refuses or judges each', () => {
    expect(corpus.length).toBeGreaterThan(400)
    const fragment = fc.constantFrom(
      ...'( ) [ ] , ; \' " $$ $a$ /* */ -- :: . * = < \\ \u202e \u0000 é E\' U&" WITH DELETE FROM SELECT WHERE 1 $1'.split(
        ' ',
      ),
    )
    fc.assert(
      fc.property(
        anyStatement,
        fc.array(fc.tuple(fc.nat(2_000), fragment, fc.nat(3)), { maxLength: 4 }),
        (text, edits) => {
          let mutated = text
          for (const [position, inserted, removed] of edits) {
            const at = position % (mutated.length + 1)
            mutated = mutated.slice(0, at) + inserted + mutated.slice(at + removed)
          }
          const classification = classify(mutated)
          expect(classification.textSha256).toHaveLength(64)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('gives the same answer for the same text', () => {
    fc.assert(
      fc.property(anyStatement, (text) => {
        expect(classify(text)).toEqual(classify(text))
      }),
      { numRuns: 200 },
    )
  })

  it('rates a write in a WITH clause at least as high as the write', () => {
    const wrappers = fc.constantFrom(
      (write: string) => `WITH x AS (${write}) SELECT 1`,
      (write: string) => `WITH x AS (${write} RETURNING *) SELECT * FROM x`,
      (write: string) => `WITH y AS (SELECT 1), x AS (${write}) INSERT INTO z SELECT * FROM y`,
      (write: string) => `SELECT * FROM (SELECT 1) q`.replace('SELECT * FROM', `WITH x AS (${write}) SELECT * FROM`),
      (write: string) => `COPY (${write} RETURNING *) TO STDOUT`,
      (write: string) => `DO $do$ BEGIN ${write}; END $do$`,
    )
    fc.assert(
      fc.property(anyWrite, wrappers, (write, wrap) => {
        const inner = classify(write)
        const outer = classify(wrap(write))
        expect(outer.ok, wrap(write)).toBe(true)
        expect(isAtLeast(outer.level, inner.level), wrap(write)).toBe(true)
        if (inner.ok && outer.ok) {
          for (const target of inner.targets) expect(outer.targets).toContainEqual(target)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('never rates EXPLAIN ANALYZE lower than what it runs', () => {
    const explainable = corpus.filter((text) =>
      /^\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE)\b/i.test(text),
    )
    expect(explainable.length).toBeGreaterThan(100)
    fc.assert(
      fc.property(
        fc.constantFrom(...explainable),
        fc.constantFrom('EXPLAIN ANALYZE', 'EXPLAIN (BUFFERS, ANALYZE)', 'EXPLAIN (ANALYZE 1)'),
        (text, prefix) => {
          const inner = classify(text)
          const outer = classify(`${prefix} ${text}`)
          fc.pre(inner.ok && outer.ok)
          expect(isAtLeast(outer.level, inner.level)).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('never rates plain EXPLAIN of a write above a read', () => {
    fc.assert(
      fc.property(anyWrite, (write) => {
        expect(classify(`EXPLAIN ${write}`)).toMatchObject({ level: 'SAFE', transaction: 'read' })
      }),
    )
  })
})
