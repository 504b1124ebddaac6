/** Secrets of Secrets Manager, kept for a while, and a while longer when it does not answer. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { BackstopError, MINUTE_MS, SECOND_MS } from '#lib/kernel/index.ts'
import type { CachedSecrets, Clock } from '#lib/ports/index.ts'
import { memberOfSecret, parseSecretName } from '#lib/ports/index.ts'
import { type AwsClientSettings, awsClientConfig } from './client.ts'
import { classifyAwsError, mapAwsError } from './failure.ts'

export interface SecretsManagerOptions {
  readonly aws: AwsClientSettings
  /** A value is taken without asking for so long after it was read; 5 minutes when absent, 0: always ask. */
  readonly cacheMs?: number
  /**
   * While Secrets Manager does not answer, a value goes on being used until it is this old; 15 minutes when absent, and 0 when
   * nothing is cached. A refusal (access denied, secret deleted) counts at once.
   */
  readonly staleMs?: number
  /** Absent: the system's. */
  readonly clock?: Pick<Clock, 'nowMs'>
}

const CACHE_MS = 5 * MINUTE_MS
const STALE_MS = 15 * MINUTE_MS
/** Between two questions while Secrets Manager does not answer: each may take seconds. */
const OUTAGE_PAUSE_MS = 10 * SECOND_MS
const FORGET_PAUSE_MS = SECOND_MS
/** By id or by ARN. */
const NAME_FORM = /^[\w/+=.@:-]{1,2048}$/
/** A secret that waits for its deletion is answered with InvalidRequestException. */
const GONE = new Set(['ResourceNotFoundException', 'InvalidRequestException'])

export interface SecretsManagerSecrets extends CachedSecrets {
  close(): void
}

interface Kept {
  readonly text: string
  readonly readAtMs: number
}

interface Entry {
  kept?: Kept
  reading?: Promise<string | undefined>
  /** Not asked again before, as long as there is a value. */
  askAtMs?: number
  forgottenAtMs?: number
}

/** `get('backstop/prod/db#password')` reads one member of a JSON secret. Needs secretsmanager:GetSecretValue. */
export function openSecretsManagerSecrets(options: SecretsManagerOptions): SecretsManagerSecrets {
  return new CachingSecrets(options)
}

class CachingSecrets implements SecretsManagerSecrets {
  readonly #client: SecretsManagerClient
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #cacheMs: number
  readonly #staleMs: number
  readonly #entries = new Map<string, Entry>()

  constructor({ aws, cacheMs = CACHE_MS, staleMs = cacheMs === 0 ? 0 : STALE_MS, clock }: SecretsManagerOptions) {
    this.#client = new SecretsManagerClient(awsClientConfig(aws))
    this.#clock = clock ?? { nowMs: () => Date.now() }
    this.#cacheMs = cacheMs
    this.#staleMs = staleMs
  }

  async get(name: string): Promise<string> {
    const value = await this.find(name)
    if (value === undefined) throw missing(parseSecretName(name).secret, 'it is not in this account and region')
    return value
  }

  async find(name: string): Promise<string | undefined> {
    const parsed = parseSecretName(name)
    const text = await this.#read(parsed.secret)
    return text === undefined ? undefined : memberOfSecret(text, parsed)
  }

  /** At most once a second: whoever uses a wrong password all the time does not ask all the time. */
  forget(name: string): void {
    const entry = this.#entries.get(parseSecretName(name).secret)
    const nowMs = this.#clock.nowMs()
    if (entry === undefined || Math.abs(nowMs - (entry.forgottenAtMs ?? Number.NEGATIVE_INFINITY)) < FORGET_PAUSE_MS)
      return
    // A new entry: an answer that is under way may be the old one.
    this.#entries.set(parseSecretName(name).secret, { forgottenAtMs: nowMs })
  }

  close(): void {
    this.#client.destroy()
  }

  async #read(secret: string): Promise<string | undefined> {
    if (!NAME_FORM.test(secret)) throw missing('(malformed name)', 'use the name or the ARN of a secret')
    const entry = this.#entryOf(secret)
    if (entry.kept !== undefined && this.#isUsable(entry, entry.kept)) return entry.kept.text
    if (entry.reading !== undefined) return await entry.reading
    const reading = this.#ask(secret, entry).finally(() => {
      if (entry.reading === reading) delete entry.reading
    })
    entry.reading = reading
    return await reading
  }

  #entryOf(secret: string): Entry {
    const entry = this.#entries.get(secret) ?? {}
    this.#entries.set(secret, entry)
    return entry
  }

  #isUsable(entry: Entry, kept: Kept): boolean {
    const isWaiting = this.#clock.nowMs() < (entry.askAtMs ?? 0)
    return this.#ageOf(kept) < (isWaiting ? this.#staleMs : this.#cacheMs)
  }

  /** A clock that was set back makes a value old, not young. */
  #ageOf({ readAtMs }: Kept): number {
    const ageMs = this.#clock.nowMs() - readAtMs
    return ageMs < 0 ? Number.POSITIVE_INFINITY : ageMs
  }

  async #ask(secret: string, entry: Entry): Promise<string | undefined> {
    try {
      const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId: secret }))
      if (SecretString === undefined) throw missing(secret, 'it holds bytes: keep a text in it')
      if (SecretString === '') throw missing(secret, 'it is empty')
      entry.kept = { text: SecretString, readAtMs: this.#clock.nowMs() }
      delete entry.askAtMs
      return SecretString
    } catch (error) {
      return this.#onFailure(secret, entry, error)
    }
  }

  #onFailure(secret: string, entry: Entry, error: unknown): string | undefined {
    const { kind, name } = classifyAwsError(error)
    const isOutage = kind === 'unreachable' || kind === 'failing' || kind === 'throttled'
    if (isOutage && entry.kept !== undefined && this.#ageOf(entry.kept) < this.#staleMs) {
      entry.askAtMs = this.#clock.nowMs() + OUTAGE_PAUSE_MS
      return entry.kept.text
    }
    delete entry.kept
    if (GONE.has(name)) return undefined
    throw mapAwsError(error, { code: 'SECRETS_UNREACHABLE', resource: `the secret ${shown(secret)}`, isSecret: true })
  }
}

function missing(secret: string, reason: string): BackstopError {
  const name = shown(secret)
  return new BackstopError('SECRET_MISSING', `the secret ${name} is missing: ${reason}`, { details: { name } })
}

/** An ARN's last part says enough. */
function shown(secret: string): string {
  return secret.slice(secret.lastIndexOf(':') + 1)
}
