/** Log lines on standard error: one JSON object a line. */
import type { Log } from '#lib/product/index.ts'

export const logToStandardError: Log = (level, event, facts = {}) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...facts })}\n`)
}
