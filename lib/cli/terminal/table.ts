/** Tables: with lines at a terminal that is wide enough, else one entry below the other; columns of plain text in a pipe. */
import CliTable from 'cli-table3'
import { asCell, oneLine, paint } from './colour.ts'
import type { Block, Surface } from './model.ts'

const NO_LINES = Object.fromEntries(
  [
    'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right',
    'left left-mid mid mid-mid right right-mid',
  ].flatMap((line) => line.split(' ').map((name) => [name, ''])),
)

type Table = Extract<Block, { kind: 'table' }>

/** Rows end without trailing blanks where there are no lines. */
export function renderTable(block: Table, surface: Surface): string {
  if (block.rows.length === 0) return block.whenEmpty
  if (widthOf(block, surface) > (surface.columns ?? Number.POSITIVE_INFINITY)) return renderEntries(block, surface)
  return renderGrid(block, surface)
}

function widthOf(block: Table, surface: Surface): number {
  const [line = ''] = renderGrid(block, { ...surface, isColoured: false }).split('\n')
  return [...line].length
}

/** A line for each cell that is not empty, under the name of its column. */
function renderEntries(block: Table, surface: Surface): string {
  const width = Math.max(...block.columns.map(({ title }) => title.length))
  const entries = block.rows.map((row) => {
    const lines = block.columns.map(({ title }, index) => {
      const { text, tone } = asCell(row[index] ?? '')
      return text === ''
        ? []
        : [`${paint(title.padEnd(width), 'muted', surface)}  ${paint(oneLine(text), tone, surface)}`]
    })
    return lines.flat().join('\n')
  })
  return entries.join('\n\n')
}

function renderGrid(block: Table, surface: Surface): string {
  const alignments = block.columns.map((column) => (column.isRight === true ? 'right' : 'left') as 'left' | 'right')
  const table = new CliTable({
    head: block.columns.map((column) => paint(column.title, 'strong', surface)),
    style: {
      head: [],
      border: [],
      'padding-left': surface.isTerminal ? 1 : 0,
      'padding-right': surface.isTerminal ? 1 : 0,
    },
    colAligns: alignments,
    ...(surface.isTerminal ? {} : { chars: { ...NO_LINES, middle: '  ' } }),
  })
  for (const row of block.rows) {
    table.push(
      row.map((value) => {
        const { text, tone } = asCell(value)
        return paint(oneLine(text), tone, surface)
      }),
    )
  }
  const rendered = table.toString()
  return surface.isTerminal ? rendered : rendered.replaceAll(/ +$/gm, '')
}
