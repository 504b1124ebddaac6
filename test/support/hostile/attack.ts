/** What came of attacks, and the table that tells it. */

export type Outcome = 'refused' | 'held' | 'failed' | 'ran-harmless'

const OUTCOMES: readonly Outcome[] = ['refused', 'held', 'failed', 'ran-harmless']

/** One request's answer as an outcome. A run is harmless until the comparison of worlds says otherwise. */
export function outcomeOf(reply: { readonly status: number; readonly body: unknown }): Outcome {
  const body = reply.body as { readonly error?: unknown; readonly result?: { readonly status?: string } } | undefined
  switch (body?.result?.status) {
    case 'executed':
      return 'ran-harmless'
    case 'approval_required':
      return 'held'
    case 'failed':
      return 'failed'
    default:
      return 'refused'
  }
}

interface Line {
  caseCount: number
  readonly byOutcome: Map<Outcome, number>
  readonly damages: string[]
}

/** Counts of one suite, by class of attack. */
export class Tally {
  readonly #lines = new Map<string, Line>()

  note(attackClass: string, outcomes: readonly Outcome[]): void {
    const line = this.#lineOf(attackClass)
    line.caseCount += 1
    for (const outcome of outcomes) line.byOutcome.set(outcome, (line.byOutcome.get(outcome) ?? 0) + 1)
  }

  noteDamage(attackClass: string, damage: string): void {
    this.#lineOf(attackClass).damages.push(damage)
  }

  get caseCount(): number {
    return [...this.#lines.values()].reduce((sum, line) => sum + line.caseCount, 0)
  }

  get damages(): readonly string[] {
    return [...this.#lines.values()].flatMap((line) => line.damages)
  }

  /** Column heads, a line for each class, and the sums. */
  render(title: string): string {
    const heads = [title, 'cases', ...OUTCOMES, 'damage']
    const rows = [...this.#lines].map(([name, line]) => [name, ...figuresOf([line])])
    return renderColumns([heads, ...rows, ['all', ...figuresOf([...this.#lines.values()])]])
  }

  #lineOf(attackClass: string): Line {
    const line = this.#lines.get(attackClass) ?? { caseCount: 0, byOutcome: new Map(), damages: [] }
    this.#lines.set(attackClass, line)
    return line
  }
}

function figuresOf(lines: readonly Line[]): string[] {
  const sum = (figure: (line: Line) => number) => String(lines.reduce((total, line) => total + figure(line), 0))
  return [
    sum((line) => line.caseCount),
    ...OUTCOMES.map((outcome) => sum((line) => line.byOutcome.get(outcome) ?? 0)),
    sum((line) => line.damages.length),
  ]
}

/** Rows of text as columns: the first to the left, the others to the right. */
export function renderColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const pad = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)
  return rows.map((row) => row.map(pad).join('  ')).join('\n')
}
