/** The lines of the table that the fault suite prints: fault, moment, what was told, result. */
export interface FaultLine {
  readonly fault: string
  readonly moment: string
  readonly told: string
  readonly result: string
}

export function renderFaults(title: string, lines: readonly FaultLine[]): string {
  const rows = [
    ['fault', 'moment', 'told', 'result'],
    ...lines.map((line) => [line.fault, line.moment, line.told, line.result]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return [title, ...rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '))].join(
    '\n',
  )
}
