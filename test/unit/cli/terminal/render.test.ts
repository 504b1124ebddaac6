import { describe, expect, test } from 'vitest'
import type { Block } from '#lib/cli/terminal/index.ts'
import { harmless, isColourWanted, renderBlocks, shorten } from '#lib/cli/terminal/index.ts'

const ESCAPE = '\u001b'
const TABLE: Block = {
  kind: 'table',
  columns: [{ title: 'name' }, { title: 'rows', isRight: true }],
  rows: [
    ['orders', '4000'],
    [{ text: 'tax', tone: 'bad' }, '3'],
  ],
  whenEmpty: 'nothing',
}

describe('rendering', () => {
  test('a table in a pipe is plain columns without trailing blanks', () => {
    const text = renderBlocks([TABLE], { isTerminal: false, isColoured: false })
    expect(text).toBe('name    rows\norders  4000\ntax        3\n')
  })

  test('a table at a terminal has lines around it and colours', () => {
    const text = renderBlocks([TABLE], { isTerminal: true, isColoured: true })
    expect(text).toContain('│')
    expect(text).toContain(`${ESCAPE}[31mtax${ESCAPE}[39m`)
  })

  test('a table that is wider than the terminal becomes one entry below the other, and no line is cut', () => {
    const wide = { isTerminal: true, isColoured: false }
    expect(renderBlocks([TABLE], { ...wide, columns: 17 })).toContain('│ orders │ 4000 │')
    expect(renderBlocks([TABLE], { ...wide, columns: 16 })).toBe('name  orders\nrows  4000\n\nname  tax\nrows  3\n')
    expect(renderBlocks([TABLE], { ...wide, columns: 16, isColoured: true })).toContain(`${ESCAPE}[31mtax${ESCAPE}[39m`)
  })

  test('a long value is broken between words at a terminal, and never in a pipe', () => {
    const block: Block = {
      kind: 'pairs',
      pairs: [
        ['checked', 'row count, whole-content-digest-in-one-word'],
        ['n', '1'],
      ],
    }
    const text = renderBlocks([block], { isTerminal: true, isColoured: false, columns: 20 })
    expect(text).toBe('checked  row count,\n         whole-content-digest-in-one-word\nn        1\n')
    const inPipe = renderBlocks([block], { isTerminal: false, isColoured: false })
    expect(inPipe).toBe('checked  row count, whole-content-digest-in-one-word\nn        1\n')
  })

  test('a table without rows says so', () => {
    expect(renderBlocks([{ ...TABLE, rows: [] }], { isTerminal: true, isColoured: true })).toBe('nothing\n')
  })

  test('code is not wrapped, and indented at a terminal alone', () => {
    const block: Block = { kind: 'code', text: 'BEGIN;\nCOMMIT;' }
    expect(renderBlocks([block], { isTerminal: false, isColoured: false })).toBe('BEGIN;\nCOMMIT;\n')
    expect(renderBlocks([block], { isTerminal: true, isColoured: false })).toBe('  BEGIN;\n  COMMIT;\n')
  })

  test('what a stranger wrote cannot move the cursor, hide or turn text, in any kind of block', () => {
    const hostile = `DROP${ESCAPE}[2K\u202eELBAT\u200b x\r\u0007`
    const blocks: readonly Block[] = [
      { kind: 'title', text: hostile },
      { kind: 'text', text: hostile },
      { kind: 'pairs', pairs: [['a', hostile]] },
      { ...TABLE, rows: [[hostile, { text: hostile, tone: 'good' }]] },
      { kind: 'code', text: hostile },
      { kind: 'list', items: [hostile] },
    ]
    const text = renderBlocks(blocks, { isTerminal: false, isColoured: false })
    for (const character of [ESCAPE, '\u202e', '\u200b', '\u0007', '\r']) expect(text).not.toContain(character)
    expect(text.match(/\\u\{1b\}/g)?.length).toBe(7)
  })

  test('ordinary text of any script is left alone', () => {
    expect(harmless('Zürich 東京 señor 👍\n\tx')).toBe('Zürich 東京 señor 👍\n\tx')
  })

  test('shortening counts characters and marks what is missing', () => {
    expect([shorten('abcdef', 4), shorten('abc', 4), shorten('👍👍👍', 2)]).toEqual(['abc…', 'abc', '👍…'])
  })
})

describe('colours', () => {
  test.each([
    [true, true, {}, true],
    [false, true, {}, false],
    [true, false, {}, false],
    [true, true, { NO_COLOR: '1' }, false],
    [true, true, { NO_COLOR: '' }, true],
    [true, true, { TERM: 'dumb' }, false],
  ])('terminal %s, allowed %s, environment %j: %s', (isTty, isAllowed, environment, wanted) => {
    expect(isColourWanted(isTty, isAllowed, environment)).toBe(wanted)
  })
})
