/** The way back as text for people, as a file for psql, and for programs. */
import type { CopybackPlan } from '#lib/recovery/index.ts'
import type { Block } from '../terminal/index.ts'

const NOTHING_TO_DO = 'Nothing to do: the table holds every row.'
const ASIDE = 'Rows that the snapshot does not know: run this first, and only when you are sure that they are wrong'

function sqlOf(statements: readonly string[]): string {
  return statements.map((statement) => `${statement};`).join('\n')
}

/** Good for `psql -f`, also where there is nothing to do; what is only for some is commented out. */
export function copybackText({ statements, aside = [] }: CopybackPlan): string {
  const rest = aside.length === 0 ? '' : `\n-- ${ASIDE}:\n${sqlOf(aside).replaceAll(/^/gm, '-- ')}\n`
  return `${statements.length === 0 ? `-- ${NOTHING_TO_DO}` : sqlOf(statements)}\n${rest}`
}

export function copybackBlocks({ statements, notes, aside = [] }: CopybackPlan): readonly Block[] {
  const work: readonly Block[] =
    statements.length === 0
      ? [
          { kind: 'title', text: 'Way back' },
          { kind: 'text', text: NOTHING_TO_DO },
        ]
      : [
          { kind: 'title', text: 'Way back: read it, then run it' },
          { kind: 'code', text: sqlOf(statements) },
        ]
  return [
    ...work,
    ...(notes.length === 0 ? [] : [{ kind: 'list', items: notes } as const]),
    ...(aside.length === 0
      ? []
      : [{ kind: 'title', text: ASIDE } as const, { kind: 'code', text: sqlOf(aside) } as const]),
  ]
}

export function copybackData({ kind, statements, notes, aside = [] }: CopybackPlan) {
  return { kind, statements, aside, notes }
}
