/** Tokens of RDS in place of a password: signed here by the function's role, good for a quarter of an hour. */
import { Signer } from '@aws-sdk/rds-signer'
import { BackstopError, MINUTE_MS } from '#lib/kernel/index.ts'
import type { Clock } from '#lib/ports/index.ts'
import type { AwsClientSettings } from './client.ts'
import { classifyAwsError } from './failure.ts'

export interface RdsTokenOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly aws: Pick<AwsClientSettings, 'region' | 'credentials'>
  readonly clock: Clock
}

export interface RdsTokens {
  /** Good for at least five minutes. Throws CONFIG_INVALID when the role has no credentials. */
  get(): Promise<string>
}

/** A token is only looked at when a connection begins. */
const USED_FOR_MS = 10 * MINUTE_MS

export function openRdsTokens(options: RdsTokenOptions): RdsTokens {
  const { host, port, user, aws, clock } = options
  const { region, credentials } = aws
  const signer = new Signer({ hostname: host, port, username: user, region, ...(credentials && { credentials }) })
  let kept: { readonly token: string; readonly madeAtMs: number } | undefined
  return {
    async get() {
      const nowMs = clock.nowMs()
      if (kept !== undefined && nowMs >= kept.madeAtMs && nowMs - kept.madeAtMs < USED_FOR_MS) return kept.token
      kept = { token: await sign(signer), madeAtMs: nowMs }
      return kept.token
    },
  }
}

async function sign(signer: Signer): Promise<string> {
  try {
    return await signer.getAuthToken()
  } catch (error) {
    const { name } = classifyAwsError(error)
    throw new BackstopError('CONFIG_INVALID', `No token for the database can be signed (${name}): check the role.`)
  }
}
