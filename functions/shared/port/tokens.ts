/** The token file in Secrets Manager, kept by the instance for a few seconds. */
import { openSecretsManagerSecrets } from '#lib/adapters/aws/index.ts'
import { createTokenRegistry, type TokenRegistry } from '#lib/api/index.ts'
import { BackstopError, isBackstopError, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock } from '#lib/ports/index.ts'
import { getSeconds, getVariable } from '../environment.ts'
import { awsSettings, SYSTEM } from './aws.ts'

export interface TokenSecret {
  /**
   * The tokens as they were read at most `cacheMs` ago.
   * Throws IDENTITY_UNAVAILABLE when they cannot be read, or are no token file: then nobody gets in.
   */
  registry(): Promise<TokenRegistry>
}

export interface TokenSecretOptions {
  read(): Promise<string>
  readonly cacheMs: number
  readonly clock: Clock
}

const DEFAULT_CACHE_SECONDS = 15

async function load({ read, clock }: TokenSecretOptions): Promise<TokenRegistry> {
  try {
    return createTokenRegistry({ text: await read(), isDevMode: false, clock })
  } catch (error) {
    const reason = isBackstopError(error, 'TOKENS_INVALID') ? error.message : 'the token secret cannot be read'
    throw new BackstopError('IDENTITY_UNAVAILABLE', reason, { cause: error })
  }
}

export function createTokenSecret(options: TokenSecretOptions): TokenSecret {
  const { clock, cacheMs } = options
  let kept: { readonly registry: Promise<TokenRegistry>; readonly readAtMs: number } | undefined
  return {
    registry() {
      const ageMs = clock.nowMs() - (kept?.readAtMs ?? Number.NEGATIVE_INFINITY)
      if (kept !== undefined && ageMs >= 0 && ageMs < cacheMs) return kept.registry
      const reading = { registry: load(options), readAtMs: clock.nowMs() }
      kept = reading
      reading.registry.catch(() => {
        if (kept === reading) kept = undefined
      })
      return reading.registry
    },
  }
}

/** Throws CONFIG_INVALID. */
export function openTokenSecret(): TokenSecret {
  const name = getVariable('BACKSTOP_TOKENS_SECRET')
  const secrets = openSecretsManagerSecrets({ aws: awsSettings(), clock: SYSTEM.clock, cacheMs: 0 })
  const cacheMs = getSeconds('BACKSTOP_TOKEN_CACHE_SECONDS', DEFAULT_CACHE_SECONDS) * SECOND_MS
  return createTokenSecret({ read: () => secrets.get(name), cacheMs, clock: SYSTEM.clock })
}
