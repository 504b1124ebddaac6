/** Figures of a benchmark as a table or as JSON. */
export interface Figure {
  readonly what: string
  readonly value: number
  readonly unit: string
  /** Against the row that it names. */
  readonly ratio?: { readonly of: string; readonly value: number }
  readonly note?: string
}

/** More than one figure for each thing. */
export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface BenchReport {
  readonly name: string
  readonly figures: readonly Figure[]
  readonly skipped: readonly { readonly what: string; readonly reason: string }[]
  readonly tables?: readonly Table[]
}

/** The value below which the share `p` (0 to 1) of the samples lies. */
export function quantile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN
}

export function renderReport(report: BenchReport): string {
  const rows = report.figures.map((figure) => [
    figure.what,
    figure.value >= 100 ? Math.round(figure.value).toLocaleString('en') : figure.value.toFixed(3),
    figure.unit,
    figure.ratio === undefined ? '' : `${figure.ratio.value.toFixed(2)} × ${figure.ratio.of}`,
    figure.note ?? '',
  ])
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd(),
  )
  const skipped = report.skipped.map((one) => `skipped: ${one.what}: ${one.reason}`)
  return [`## ${report.name}`, ...lines, ...(report.tables ?? []).flatMap(renderTable), ...skipped].join('\n')
}

/** Markdown, aligned to be read as it is. */
function renderTable({ title, columns, rows }: Table): readonly string[] {
  const widths = columns.map((column, n) => Math.max(column.length, ...rows.map((row) => row[n]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`
  return ['', `${title}:`, '', line(columns), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}
