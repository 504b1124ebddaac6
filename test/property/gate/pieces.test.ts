import fc from 'fast-check'
import { loadModule, scanSync } from 'libpg-query'
import { beforeAll, describe, expect, it } from 'vitest'
import { piecesOf } from '#lib/gate/classify/pieces.ts'
import { readClassifyCases } from '#test/support/corpus/corpus-files.ts'

beforeAll(loadModule)

const corpus = [...readClassifyCases().values()]
  .flat()
  .flatMap(({ statements }) => statements)
  .filter((text) => text.length < 2_000 && text.isWellFormed() && !text.includes('\0'))

/** Strings, quoted names and comments with their ends, as the parser's scanner cuts them; undefined when it cannot. */
function quotedByScanner(text: string): string[] | undefined {
  try {
    return scanSync(text)
      .tokens.map((token) => token.text)
      .filter((token) => QUOTED.test(token))
  } catch {
    return undefined
  }
}

const QUOTED = /^(?:[ebxn]?'|u&'|"|u&"|--|\/\*|\$[^\d]*\$)/i

/** The same from the pieces; the N of a national literal is a token of its own for the scanner. */
function quotedByPieces(text: string): string[] {
  const pieces = [...piecesOf(text)].map(({ start, end }) => text.slice(start, end))
  return pieces.filter((piece) => QUOTED.test(piece)).map((piece) => piece.replace(/^n'/i, "'"))
}

describe('pieces', () => {
  it('quote and comment out exactly what the parser does', () => {
    const fragments =
      "' '' \" \"\" $$ $a$ $1 $b1$ E' e' U&' U&\" b' X' n' \\ \\' -- /* */ \n \r\n ; ( ) a a$ a$b$ 1 1$ 1.5 _é é$ ::".split(
        ' ',
      )
    const text = fc.oneof(
      fc.array(fc.constantFrom(...fragments, ' '), { maxLength: 14 }).map((parts) => parts.join('')),
      fc
        .tuple(fc.constantFrom(...corpus), fc.nat(2_000), fc.constantFrom(...fragments))
        .map(([base, position, inserted]) => {
          const at = position % (base.length + 1)
          return base.slice(0, at) + inserted + base.slice(at)
        }),
    )
    let compared = 0
    fc.assert(
      fc.property(text, (candidate) => {
        fc.pre(candidate.isWellFormed())
        const scanned = quotedByScanner(candidate)
        fc.pre(scanned !== undefined)
        compared += 1
        expect(joined(quotedByPieces(candidate))).toBe(joined(scanned ?? []))
      }),
      { numRuns: 4_000, maxSkipsPerRun: 100 },
    )
    expect(compared).toBeGreaterThan(2_000)
  })
})

/** The parser makes one token of a literal that goes on after a line end; cut marks aside, the texts are equal. */
function joined(pieces: readonly string[]): string {
  return pieces.join('').replaceAll(/\s+/g, '')
}
