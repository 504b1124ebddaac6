/** Turns the blocks of an answer into text. */
import { asCell, harmless, oneLine, paint } from './colour.ts'
import type { Block, Surface } from './model.ts'
import { renderTable } from './table.ts'

function renderPairs(block: Extract<Block, { kind: 'pairs' }>, surface: Surface): string {
  const width = Math.max(0, ...block.pairs.map(([name]) => name.length))
  return block.pairs
    .map(([name, value]) => {
      const { text, tone } = asCell(value)
      return `${paint(name.padEnd(width), 'muted', surface)}  ${paint(oneLine(text), tone, surface)}`
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
