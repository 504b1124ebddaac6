/** The tokens in force: digests alone, replaced as a whole by a reload. */
import { hash, timingSafeEqual } from 'node:crypto'
import type { Principal } from '#lib/gate/index.ts'
import type { Instant } from '#lib/kernel/index.ts'
import { BackstopError, epochMsOf, isBackstopError, sha256Hex } from '#lib/kernel/index.ts'
import type { Clock } from '#lib/ports/index.ts'
import type { TokenEntry } from './file.ts'
import { DEV_TOKEN, decodeTokenFile } from './file.ts'

export type Authentication =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly because: 'unknown' | 'expired' }

export type TokenReload =
  | { readonly ok: true; readonly tokenCount: number }
  /** The tokens from before stay in force. */
  | { readonly ok: false; readonly error: BackstopError }

/** A token as operators may see it. */
export interface TokenSummary {
  readonly id: string
  readonly scopes: readonly string[]
  readonly agentIds: readonly string[]
  readonly databaseRoles?: readonly string[]
  readonly description?: string
  readonly expiresAt?: Instant
}

export interface TokenRegistry {
  /** Compares with every entry in constant time. */
  authenticate(token: string): Authentication
  reload(text: string): TokenReload
  list(): readonly TokenSummary[]
}

export interface TokenRegistryOptions {
  /** Text of the token file; absent in dev mode alone. */
  readonly text?: string
  readonly isDevMode: boolean
  readonly clock: Clock
}

interface KeptToken {
  readonly summary: TokenSummary
  readonly principal: Principal
  readonly digest: Uint8Array
  readonly expiresAtMs: number
}

const DEV_ENTRY: TokenEntry = {
  id: 'dev',
  digest: sha256Hex(DEV_TOKEN),
  scopes: ['admin:*'],
  agentIds: [],
  description: 'The well-known token of dev mode.',
}

function keep({ digest, ...summary }: TokenEntry): KeptToken {
  return {
    summary,
    principal: { name: summary.id, scopes: summary.scopes, agentIds: summary.agentIds },
    digest: Buffer.from(digest, 'hex'),
    expiresAtMs: summary.expiresAt === undefined ? Number.POSITIVE_INFINITY : epochMsOf(summary.expiresAt),
  }
}

function load(text: string | undefined, isDevMode: boolean): readonly KeptToken[] {
  if (text === undefined && !isDevMode) {
    throw new BackstopError(
      'TOKENS_INVALID',
      'no token file: set BACKSTOP_TOKENS, or BACKSTOP_DEV_MODE=true to try things out',
    )
  }
  const entries = text === undefined ? [] : decodeTokenFile(text, isDevMode)
  const hasOwnDevToken = entries.some((entry) => entry.digest === DEV_ENTRY.digest)
  if (!isDevMode || hasOwnDevToken) return entries.map(keep)
  const taken = entries.find((entry) => entry.id === DEV_ENTRY.id)
  if (taken !== undefined) throw new BackstopError('TOKENS_INVALID', 'token file: in dev mode the id "dev" is reserved')
  return [...entries, DEV_ENTRY].map(keep)
}

/**
 * Open the registry.
 *
 * Throws: `TOKENS_INVALID` for a missing or malformed file
 */
export function createTokenRegistry(options: TokenRegistryOptions): TokenRegistry {
  let tokens = load(options.text, options.isDevMode)
  return {
    authenticate(token) {
      const digest = hash('sha256', token, 'buffer')
      let found: KeptToken | undefined
      for (const candidate of tokens) if (timingSafeEqual(candidate.digest, digest)) found = candidate
      if (found === undefined) return { ok: false, because: 'unknown' }
      if (options.clock.nowMs() >= found.expiresAtMs) return { ok: false, because: 'expired' }
      return { ok: true, principal: found.principal }
    },
    reload(text) {
      try {
        tokens = load(text, options.isDevMode)
        return { ok: true, tokenCount: tokens.length }
      } catch (error) {
        if (!isBackstopError(error)) throw error
        return { ok: false, error }
      }
    },
    list: () => tokens.map((token) => token.summary),
  }
}
