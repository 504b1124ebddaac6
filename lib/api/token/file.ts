/** Turn the text of a token file into entries that hold digests instead of tokens. */

import { z } from 'zod'
import type { ErrorDetails, Instant, Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, instantFrom, sha256Hex } from '#lib/kernel/index.ts'
import { isKnownScope } from './scope.ts'

export const DEV_TOKEN = 'dev-token'
const SHORTEST_TOKEN = 16
const LONGEST_TOKEN = 512

/** An entry as it is kept in memory. */
export interface TokenEntry {
  readonly id: string
  readonly digest: Sha256Hex
  readonly scopes: readonly string[]
  readonly description?: string
  readonly expiresAt?: Instant
  /** Empty: any agent id. */
  readonly agentIds: readonly string[]
  /** Roles that whoever holds the token may log in to the database with, past the gate; the watch looks for them. */
  readonly databaseRoles?: readonly string[]
}

const PRINTABLE = /^[\x21-\x7e]+$/

const tokenEntry = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/, 'must be 1 to 128 letters, digits or . _ : @ -'),
  token: z.string().min(1).max(LONGEST_TOKEN).regex(PRINTABLE, 'must be printable ASCII without spaces').optional(),
  token_sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits')
    .optional(),
  scopes: z.array(z.string()).min(1, 'must name at least one scope'),
  description: z.string().max(500).optional(),
  expires_at: z.iso
    .datetime({ offset: true, error: 'must be an ISO-8601 instant such as 2030-01-01T00:00:00Z' })
    .optional(),
  agent_ids: z.array(z.string().min(1).max(128)).min(1, 'must name at least one agent, or be left out').optional(),
  database_roles: z.array(z.string().min(1).max(63)).min(1, 'must name at least one role, or be left out').optional(),
})
type WrittenEntry = z.output<typeof tokenEntry>

function fail(message: string, details: ErrorDetails = {}): never {
  throw new BackstopError('TOKENS_INVALID', message, { details })
}

/** Position alone: the parser's own message quotes the text, which holds tokens. */
function positionIn(error: unknown): string {
  const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')
  return position === null ? '' : ` (at character ${position[1]})`
}

function parseArray(text: string): readonly unknown[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return fail(`the token file is not valid JSON${positionIn(error)}`)
  }
  return Array.isArray(value) ? value : fail('the token file must hold a JSON array of token objects')
}

function labelOf(value: unknown, index: number): string {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined
  return typeof id === 'string' && /^[\w.:@-]{1,128}$/.test(id) ? `entry ${index} ("${id}")` : `entry ${index}`
}

function digestOf(entry: WrittenEntry, label: string, isDevMode: boolean): Sha256Hex {
  if (entry.token !== undefined && entry.token_sha256 !== undefined) {
    fail(`token file, ${label}: give either token or token_sha256, not both`)
  }
  if (entry.token_sha256 !== undefined) return entry.token_sha256.toLowerCase() as Sha256Hex
  const token = entry.token ?? fail(`token file, ${label}: token is missing`)
  if (!isDevMode && token !== DEV_TOKEN && token.length < SHORTEST_TOKEN) {
    fail(`token file, ${label}: the token is shorter than ${SHORTEST_TOKEN} characters`)
  }
  return sha256Hex(token)
}

function readEntry(value: unknown, index: number, isDevMode: boolean): TokenEntry {
  const label = labelOf(value, index)
  const parsed = tokenEntry.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return fail(`token file, ${label}: ${issue?.path.join('.') || 'the entry'}: ${issue?.message}`)
  }
  const entry = parsed.data
  const unknown = entry.scopes.find((scope) => !isKnownScope(scope))
  if (unknown !== undefined) fail(`token file, ${label}: unknown scope ${JSON.stringify(unknown.slice(0, 64))}`)
  const digest = digestOf(entry, label, isDevMode)
  if (!isDevMode && digest === sha256Hex(DEV_TOKEN)) {
    fail(`token file, ${label}: ${DEV_TOKEN} works in dev mode only; replace it with a secret of its own`)
  }
  return {
    id: entry.id,
    digest,
    scopes: entry.scopes,
    agentIds: entry.agent_ids ?? [],
    ...(entry.database_roles === undefined ? {} : { databaseRoles: entry.database_roles }),
    ...(entry.description === undefined ? {} : { description: entry.description }),
    ...(entry.expires_at === undefined ? {} : { expiresAt: instantFrom(Date.parse(entry.expires_at)) }),
  }
}

function assertDistinct(entries: readonly TokenEntry[]): void {
  const ids = new Set<string>()
  const digests = new Map<Sha256Hex, string>()
  for (const { id, digest } of entries) {
    if (ids.has(id)) fail(`token file: two entries have the id "${id}"`)
    const other = digests.get(digest)
    if (other !== undefined) fail(`token file: "${other}" and "${id}" have the same token`)
    ids.add(id)
    digests.set(digest, id)
  }
}

/**
 * Read a token file.
 *
 * Shapes:  JSON array of `{id, token | token_sha256, scopes, description?, expires_at?, agent_ids?, database_roles?}`
 * Refuses: unknown keys and scopes, duplicates, short tokens outside dev mode, `dev-token` outside dev mode, an empty array
 * Throws:  `TOKENS_INVALID`, naming the entry and never a token
 */
export function decodeTokenFile(text: string, isDevMode: boolean): readonly TokenEntry[] {
  const values = parseArray(text)
  if (values.length === 0) fail('the token file holds no token: nobody could call the gateway')
  const entries = values.map((value, index) => readEntry(value, index, isDevMode))
  assertDistinct(entries)
  return entries
}
