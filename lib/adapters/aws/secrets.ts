/** Secrets in Secrets Manager, kept in memory for a while; a rotated one is asked for anew when somebody says so. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { BackstopError, MINUTE_MS } from '#lib/kernel/index.ts'
import type { Clock, Secrets } from '#lib/ports/index.ts'
import type { AwsClientSettings } from './client.ts'
import { awsClientConfig } from './client.ts'
import { classifyAwsError, mapAwsError } from './failure.ts'

export interface SecretsManagerOptions {
  readonly aws: AwsClientSettings
  readonly clock: Clock
  /** How long a value may be answered from memory; five minutes when absent. */
  readonly cacheMs?: number
}

export interface SecretsManagerSecrets extends Secrets {
  /** Ask again at the next use: the value may have been rotated. */
  forget(name: string): void
  close(): void
}

interface Kept {
  readonly value: Promise<string | undefined>
  readonly readAtMs: number
}

const CACHE_MS = 5 * MINUTE_MS

/**
 * Names are ARNs or names of secrets.
 *
 * Throws: SECRET_MISSING also for one that may not be read; its value never shows in an error
 */
export function openSecretsManagerSecrets(options: SecretsManagerOptions): SecretsManagerSecrets {
  const { clock, cacheMs = CACHE_MS } = options
  const client = new SecretsManagerClient(awsClientConfig(options.aws))
  const kept = new Map<string, Kept>()

  function find(name: string): Promise<string | undefined> {
    const known = kept.get(name)
    const ageMs = clock.nowMs() - (known?.readAtMs ?? 0)
    if (known !== undefined && ageMs >= 0 && ageMs < cacheMs) return known.value
    const reading = { value: read(client, name), readAtMs: clock.nowMs() }
    kept.set(name, reading)
    reading.value.catch(() => {
      if (kept.get(name) === reading) kept.delete(name)
    })
    return reading.value
  }

  return {
    find,
    async get(name) {
      const value = await find(name)
      if (value !== undefined) return value
      throw new BackstopError('SECRET_MISSING', `there is no secret ${shown(name)}`, { details: { name: shown(name) } })
    },
    forget: (name) => void kept.delete(name),
    close: () => client.destroy(),
  }
}

/** An ARN's last part says enough. */
function shown(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1)
}

async function read(client: SecretsManagerClient, SecretId: string): Promise<string | undefined> {
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }))
    return SecretString
  } catch (error) {
    if (classifyAwsError(error).kind === 'missing') return undefined
    throw mapAwsError(error, { code: 'SECRET_MISSING', resource: `the secret ${shown(SecretId)}` })
  }
}
