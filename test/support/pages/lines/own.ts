/** The pages of this project that stand for both: each of their commands is run. */
import type { PageLines } from './model.ts'

export const OWN = {
  P01: ['pages', 'docs/troubleshooting.md'],
  P02: ['pages', 'docs/production-checklist.md'],
} as const satisfies PageLines
