/** Check a value against a schema, with an error that names the field and never its value. */

import type { z } from 'zod'
import { BackstopError } from '#lib/kernel/index.ts'

const LONGEST_MESSAGE = 240

/** `limit must be an integer from 1 to 500` */
export function explainIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return 'the value is invalid'
  const where = issue.path.map(String).join('.')
  const message =
    where === '' ? issue.message : `${where}${/^(is|must) /.test(issue.message) ? '' : ':'} ${issue.message}`
  return message.slice(0, LONGEST_MESSAGE)
}

/** Throws `REQUEST_INVALID`. */
export function validate(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new BackstopError('REQUEST_INVALID', explainIssue(parsed.error))
}
