/** Turns the blocks of an answer into text. */
import { asCell, harmless, oneLine, paint } from './colour.ts'
import type { Block, Surface } from './model.ts'
import { renderTable } from './table.ts'

/** Lines of at most so many characters, broken between words; a longer word keeps a line of its own. Not for what is copied. */
function wrapWords(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || [...last].length + 1 + [...word].length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

function renderPairs(block: Extract<Block, { kind: 'pairs' }>, surface: Surface): string {
  const width = Math.max(0, ...block.pairs.map(([name]) => name.length))
  return block.pairs
    .map(([name, value]) => {
      const { text, tone } = asCell(value)
      const [first = '', ...more] = wrapWords(oneLine(text), (surface.columns ?? Number.POSITIVE_INFINITY) - width - 2)
      const start = `${paint(name.padEnd(width), 'muted', surface)}  ${paint(first, tone, surface)}`
      return [start, ...more.map((line) => ' '.repeat(width + 2) + paint(line, tone, surface))].join('\n')
    })
    .join('\n')
}

function renderBlock(block: Block, surface: Surface): string {
  switch (block.kind) {
    case 'title':
      return paint(oneLine(block.text), 'strong', surface)
    case 'text':
      return paint(harmless(block.text), block.tone ?? 'plain', surface)
    case 'pairs':
      return renderPairs(block, surface)
    case 'table':
      return renderTable(block, surface)
    case 'code':
      return harmless(block.text).replaceAll(/^(?=.)/gm, surface.isTerminal ? '  ' : '')
    case 'list':
      return block.items.map((item) => `- ${oneLine(item)}`).join('\n')
  }
}

/** Lines with their line ends; an empty line before each title but the first. */
export function renderBlocks(blocks: readonly Block[], surface: Surface): string {
  const parts = blocks.map((block, index) => {
    const gap = block.kind === 'title' && index > 0 ? '\n' : ''
    return `${gap}${renderBlock(block, surface)}\n`
  })
  return parts.join('')
}
