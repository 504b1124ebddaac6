/** Schemas of path and query parameters: text in, typed values out. */

import { z } from 'zod'
import { RISK_LEVELS } from '#lib/kernel/index.ts'

const LONGEST_WAIT_SECONDS = 25
const LARGEST_PAGE = 500
const DEFAULT_PAGE = 100
/** The members of each are looked up. */
const LARGEST_SET_PAGE = 100
const DEFAULT_SET_PAGE = 20

function integerText(smallest: number, largest: number) {
  const range = `must be an integer from ${smallest} to ${largest}`
  return z
    .string()
    .regex(/^\d{1,6}$/, range)
    .transform(Number)
    .pipe(z.int().min(smallest, range).max(largest, range))
}

const cursor = z.string().min(1).max(2_048).optional().describe('next_cursor of the previous page')
const limit = integerText(1, LARGEST_PAGE).default(DEFAULT_PAGE).describe('Most entries in the answer')
const tableText = z.string().min(1).max(260).describe('table, schema.table or "Quoted"."Name"')

/** Any text: what is not an id simply names nothing. */
export const approvalParams = z.strictObject({ id: z.string().describe('Approval id, appr_…') })
export const principalParams = z.strictObject({ principal: z.string().describe('Id of the token') })

export const undoParams = z.strictObject({ id: z.string().describe('Audit id of the write, aud_…') })
export const conflictPolicy = z
  .enum(['fail', 'skip'])
  .default('fail')
  .describe('With rows that changed since: change nothing, or leave those rows as they are')
export const undoQuery = z.strictObject({ conflict_policy: conflictPolicy })

export const noQuery = z.strictObject({})
export const waitQuery = z.strictObject({
  wait: integerText(0, LONGEST_WAIT_SECONDS).default(0).describe('Seconds to wait for a decision'),
})
export const approvalListQuery = z.strictObject({
  state: z.enum(['pending', 'approved', 'denied', 'expired', 'consumed']).optional(),
  limit,
  cursor,
})
export const snapshotQuery = z.strictObject({
  table: tableText.optional(),
  latest: z.literal('valid').optional().describe('Only the newest valid one'),
  latest_valid: z.enum(['true', 'false']).optional().describe('true: only the newest valid one'),
  limit,
})
export const auditQuery = z.strictObject({
  agent_id: z.string().min(1).max(128).optional(),
  risk: z
    .string()
    .transform((text) => text.toUpperCase())
    .pipe(z.enum(RISK_LEVELS))
    .optional(),
  limit,
  cursor,
})
export const pageQuery = z.strictObject({ limit, cursor })
export const setQuery = z.strictObject({
  limit: integerText(1, LARGEST_SET_PAGE).default(DEFAULT_SET_PAGE).describe('Most sets in the answer'),
  cursor,
})
export const captureQuery = z.strictObject({ table: tableText })
