/** Named secrets, and one member of a secret that holds a JSON object. */
import { BackstopError } from '#lib/kernel/index.ts'

/**
 * Named secrets. Values never appear in an error, a log or an argument list.
 *
 * Names:  as the place that keeps them has them; `<name>#<member>` is one member of a secret that holds a JSON object
 * Errors: SECRET_MISSING (also for a member that is not there), SECRETS_UNREACHABLE
 */
export interface Secrets {
  /** Throws SECRET_MISSING. */
  get(name: string): Promise<string>
  find(name: string): Promise<string | undefined>
}

/** Secrets that are kept for a while after they were read. */
export interface CachedSecrets extends Secrets {
  /** Says that the value was refused where it was used: the next `get` asks again, and no longer falls back on this value. */
  forget(name: string): void
}

export interface SecretName {
  readonly secret: string
  readonly member?: string
}

export function parseSecretName(name: string): SecretName {
  const position = name.indexOf('#')
  return position < 0 ? { secret: name } : { secret: name.slice(0, position), member: name.slice(position + 1) }
}

/** The member's text. Throws SECRET_MISSING, which shows nothing of the secret. */
export function memberOfSecret(text: string, { secret, member }: SecretName): string {
  if (member === undefined) return text
  const value = membersOf(text)?.[member]
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw new BackstopError(
    'SECRET_MISSING',
    `the secret ${secret} has no member ${member}: it must be a JSON object with it`,
    {
      details: { name: secret, member },
    },
  )
}

/** The error of `JSON.parse` repeats what it could not read. */
function membersOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return parsed !== null && typeof parsed === 'object' ? Object.assign(Object.create(null), parsed) : undefined
  } catch {
    return undefined
  }
}
