/** Tables: with lines at a terminal, columns of plain text in a pipe. */
import CliTable from 'cli-table3'
import { asCell, oneLine, paint } from './colour.ts'
import type { Block, Surface } from './model.ts'

const NO_LINES = Object.fromEntries(
  [
    'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right',
    'left left-mid mid mid-mid right right-mid',
  ].flatMap((line) => line.split(' ').map((name) => [name, ''])),
)

/** Rows end without trailing blanks where there are no lines. */
export function renderTable(block: Extract<Block, { kind: 'table' }>, surface: Surface): string {
  if (block.rows.length === 0) return block.whenEmpty
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
