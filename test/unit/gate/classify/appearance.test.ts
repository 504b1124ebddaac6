import { beforeAll, describe, expect, it } from 'vitest'
import { loadClassifier } from '#lib/gate/classify/index.ts'
import { classified, codes, refused } from '#test/support/classify/classified.ts'

beforeAll(loadClassifier)

const HIDDEN = [
  ['a right-to-left override', '\u202e'],
  ['an isolate', '\u2066'],
  ['a zero-width space', '\u200b'],
  ['a zero-width joiner', '\u200d'],
  ['a word joiner', '\u2060'],
  ['a byte order mark', '\ufeff'],
  ['a soft hyphen', '\u00ad'],
  ['a Hangul filler', '\u3164'],
  ['a tag character', '\u{e0041}'],
  ['a variation selector', '\ufe0f'],
  ['a line separator', '\u2028'],
] as const

describe('characters that cannot be seen', () => {
  it.each(HIDDEN)('are refused in names and comments and legal in literals: %s', (_name, character) => {
    expect(refused(`SELECT 1 AS "a${character}b"`).code).toBe('HIDDEN_CHARACTERS')
    expect(refused(`SELECT 1 /* a${character}b */`).code).toBe('HIDDEN_CHARACTERS')
    expect(refused(`SELECT 1 -- a${character}b`).code).toBe('HIDDEN_CHARACTERS')
    expect(classified(`SELECT 'a${character}b'`).ok).toBe(true)
  })

  it('were tried in enough kinds', () => {
    expect(HIDDEN.length).toBeGreaterThanOrEqual(11)
  })

  it('are control characters that a terminal obeys, wherever they stand', () => {
    for (const character of ['\u0008', '\u001b', '\u007f', '\u009b']) {
      expect(refused(`SELECT 'a${character}b'`).code).toBe('HIDDEN_CHARACTERS')
      expect(refused(`SELECT 1 -- a${character}b`).code).toBe('HIDDEN_CHARACTERS')
    }
    expect(classified("SELECT E'\\x1b[2J'").level).toBe('SAFE')
  })

  it('are NUL and half a character, wherever they stand', () => {
    expect(refused("SELECT 'a\0b'").code).toBe('HIDDEN_CHARACTERS')
    expect(refused("SELECT 'a\ud800b'").code).toBe('HIDDEN_CHARACTERS')
  })

  it('are a carriage return that overwrites the line', () => {
    expect(refused('SELECT 1 -- harmless\rDELETE FROM t').code).toBe('HIDDEN_CHARACTERS')
    expect(classified('SELECT 1\r\nFROM t\r\n').level).toBe('SAFE')
    expect(classified("SELECT 'a\rb'").level).toBe('SAFE')
  })

  it('are spaces that the parser takes for letters', () => {
    expect(refused('SELECT 1\u00a0AS a').code).toBe('HIDDEN_CHARACTERS')
    expect(classified("SELECT 'a\u00a0b'").level).toBe('SAFE')
  })

  it('are not trimmed away at the ends of the text', () => {
    expect(refused('\ufeffSELECT 1').code).toBe('HIDDEN_CHARACTERS')
    expect(refused('DELETE FROM t WHERE id = x\u00a0').code).toBe('HIDDEN_CHARACTERS')
  })

  it('are no emoji and no other scripts', () => {
    for (const text of [
      'SELECT 1 -- ⚠️ 👩‍👩‍👧 done',
      'SELECT имя FROM клиенты',
      'SELECT "氏名" FROM 顧客',
      'SELECT größe FROM maße',
      "SELECT '👩‍👩‍👧'",
    ]) {
      expect(classified(text).level, text).toBe('SAFE')
    }
  })

  it('raise in a literal when they turn the direction of the text', () => {
    expect(codes("DELETE FROM t WHERE a = 'x\u202e' OR b = 1")).toContain('reordering-literal')
  })
})

describe('names that look like others', () => {
  it('raise when one word mixes alphabets', () => {
    expect(codes('SELECT * FROM оrders')).toContain('lookalike-name')
    expect(codes('DELETE FROM сustomers WHERE id = 1')).toContain('lookalike-name')
    expect(codes('DELETE FROM ｏrders WHERE id = 1')).toContain('lookalike-name')
  })

  it('raise for a write when a whole word could be read as Latin', () => {
    expect(codes('DELETE FROM сор WHERE id = 1')).toContain('lookalike-name')
    expect(codes('SELECT * FROM сор')).toEqual([])
  })

  it('leave honest names alone', () => {
    for (const text of [
      'SELECT id_заказа FROM заказы',
      'UPDATE клиенты SET имя = 1 WHERE id = 1',
      'SELECT "IDклиента" FROM t',
      'SELECT ένα FROM t',
    ]) {
      expect(codes(text), text).not.toContain('lookalike-name')
    }
  })

  it('raise for a write when a name is written in escapes', () => {
    expect(codes('DELETE FROM U&"\\006frders" WHERE id = 1')).toContain('escaped-name')
    expect(codes('SELECT * FROM U&"\\006frders"')).toEqual([])
  })
})
