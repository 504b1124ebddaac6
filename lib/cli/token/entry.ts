/** A new token and its entry for the token file. */
import type { Scope } from '#lib/api/index.ts'
import { isKnownScope, SCOPES } from '#lib/api/index.ts'
import type { Instant, Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, instantFrom, sha256Hex } from '#lib/kernel/index.ts'

/** As it stands in the file: the digest, never the token. */
export interface TokenFileEntry {
  readonly id: string
  readonly token_sha256: Sha256Hex
  readonly scopes: readonly string[]
  readonly description?: string
  readonly agent_ids?: readonly string[]
  readonly expires_at?: Instant
}

export interface TokenOrder {
  readonly id: string
  readonly scopes: readonly string[]
  readonly description?: string
  readonly agentIds?: readonly string[]
  readonly expiresAt?: Instant
}

export interface NewToken {
  /** Shown once and kept nowhere. */
  readonly token: string
  readonly entry: TokenFileEntry
}

export const TOKEN_BYTES = 32

/** Make a token from TOKEN_BYTES random bytes. Pure. */
export function makeToken(order: TokenOrder, bytes: Uint8Array): NewToken {
  if (bytes.length !== TOKEN_BYTES) throw new RangeError(`a token takes ${TOKEN_BYTES} bytes`)
  const token = `bst_${Buffer.from(bytes).toString('base64url')}`
  const { id, scopes, description, agentIds, expiresAt } = order
  return {
    token,
    entry: {
      id,
      token_sha256: sha256Hex(token),
      scopes,
      ...(description === undefined ? {} : { description }),
      ...(agentIds === undefined ? {} : { agent_ids: agentIds }),
      ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
    },
  }
}

/** Throws USAGE_INVALID naming the scopes that there are. */
export function checkScopes(scopes: readonly string[]): readonly Scope[] {
  const unknown = scopes.find((scope) => !isKnownScope(scope))
  if (scopes.length > 0 && unknown === undefined) return scopes as readonly Scope[]
  const problem = unknown === undefined ? 'no scope is given' : `unknown scope ${JSON.stringify(unknown)}`
  throw new BackstopError('USAGE_INVALID', `${problem}; there are ${SCOPES.join(', ')}`)
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `90d` from now. Throws USAGE_INVALID. */
export function readExpiry(text: string, nowMs: number): Instant {
  const match = /^(\d{1,5})([mhdw])$/.exec(text)
  const unitMs = UNIT_MS[match?.[2] ?? '']
  const count = Number(match?.[1])
  if (unitMs === undefined || !(count > 0)) {
    throw new BackstopError('USAGE_INVALID', '--expires-in is a number and a unit: 30m, 12h, 90d, 52w')
  }
  return instantFrom(nowMs + count * unitMs)
}
