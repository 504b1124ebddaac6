/** The arguments of the tools, and the agent that a call speaks for. */

import { z } from 'zod'
import type { Principal } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'

const LONGEST_WAIT_SECONDS = 25
const MOST_PARAMETERS = 1_000

const isExact = (value: number): boolean => !Number.isInteger(value) || Number.isSafeInteger(value)

const query = z
  .string({ error: (issue) => (issue.input === undefined ? 'is required' : 'must be a string') })
  .min(1, 'is required')
  .describe('One SQL statement')
const agentId = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/, 'must be 1 to 128 printable ASCII characters')
  .optional()
  .describe('The agent; needed unless the token names exactly one')
const parameters = z
  .array(
    z.union([
      z.string(),
      z.number().refine(isExact, 'must be a string: the number is too large to be exact'),
      z.boolean(),
      z.null(),
    ]),
  )
  .max(MOST_PARAMETERS)
  .optional()
  .describe('Values for $1, $2, …')

/** Names the arguments that are not known, and why `db_url` never will be. */
function explainKeys(issue: { readonly code?: string; readonly keys?: readonly string[] }): string | undefined {
  if (issue.code !== 'unrecognized_keys') return undefined
  if (issue.keys?.includes('db_url')) return 'db_url is not accepted: the gateway has one database of its own'
  return `unknown argument: ${issue.keys?.join(', ')}`
}
const options = { error: (issue: object) => explainKeys(issue) }

export const executeArguments = z.strictObject(
  {
    query,
    agent_id: agentId,
    parameters,
    approval_id: z
      .string()
      .regex(/^appr_[0-9a-f]{32}$/, 'must be the approval_id of an earlier answer')
      .optional()
      .describe('From an earlier approval_required'),
    snapshot_id: z.string().max(128).optional().describe('For information; the gateway finds recovery points itself'),
    reason: z.string().max(500).optional().describe('Shown to the approver as your claim'),
    wait_seconds: z
      .int()
      .min(0)
      .max(LONGEST_WAIT_SECONDS)
      .optional()
      .describe('Wait this long for a decision before answering approval_required'),
  },
  options,
)

export const analyzeArguments = z.strictObject({ query, agent_id: agentId, parameters }, options)

/**
 * The agent that the call speaks for.
 *
 * Throws: `AGENT_NOT_ALLOWED` for one that the token does not list; `REQUEST_INVALID` when it cannot be known
 */
export function agentOf(principal: Principal, given: string | undefined): string {
  const [only, ...others] = principal.agentIds
  if (given === undefined) {
    if (only !== undefined && others.length === 0) return only
    throw new BackstopError('REQUEST_INVALID', 'agent_id is required')
  }
  if (only === undefined || principal.agentIds.includes(given)) return given
  throw new BackstopError('AGENT_NOT_ALLOWED', 'the token does not list this agent_id')
}
