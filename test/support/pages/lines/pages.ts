/** Both pages as one list. */
import { CHECKLIST } from './checklist.ts'
import { TROUBLESHOOTING } from './troubleshooting.ts'

export const PAGES = { troubleshooting: TROUBLESHOOTING, 'production checklist': CHECKLIST } as const
export const LINES = { ...TROUBLESHOOTING, ...CHECKLIST } as const

export type LineId = keyof typeof LINES
