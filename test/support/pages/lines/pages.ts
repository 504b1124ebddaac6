/** All pages as one list. */
import { CHECKLIST } from './checklist.ts'
import { OWN } from './own.ts'
import { TROUBLESHOOTING } from './troubleshooting.ts'

export const PAGES = {
  troubleshooting: TROUBLESHOOTING,
  'production checklist': CHECKLIST,
  'pages of our own': OWN,
} as const
export const LINES = { ...TROUBLESHOOTING, ...CHECKLIST, ...OWN } as const

export type LineId = keyof typeof LINES
