/**
 * What the authorizer found out, as the context that API Gateway passes from it to the functions, and back.
 *
 * Invariants: decode(encode(i)) = i; whatever else a context holds is `unavailable`, and none at all `unchecked`
 */
import { z } from 'zod'
import type { Identification } from '#lib/api/index.ts'

/** Texts alone: a REST API passes nothing else. */
export type AuthorizerContext = Readonly<Record<'verdict' | 'principal' | 'message', string>>

export function encodeVerdict(found: Identification): AuthorizerContext {
  return {
    verdict: found.verdict,
    principal: found.verdict === 'principal' ? JSON.stringify(found.principal) : '',
    message: 'message' in found ? found.message : '',
  }
}

const principalSchema = z.strictObject({
  name: z.string().min(1).max(128),
  scopes: z.array(z.string()),
  agentIds: z.array(z.string()),
})

const contextSchema = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('principal'), principal: z.string() }),
  z.object({ verdict: z.literal('absent') }),
  z.object({
    verdict: z.enum(['unknown', 'expired', 'malformed', 'unavailable']),
    message: z.string().min(1).max(500),
  }),
])

const UNREADABLE: Identification = {
  verdict: 'unavailable',
  message: 'what the authorizer said about this request cannot be read',
}

export function decodeVerdict(context: unknown): Identification {
  if (context === undefined || context === null) return { verdict: 'unchecked' }
  const parsed = contextSchema.safeParse(context)
  if (!parsed.success) return UNREADABLE
  if (parsed.data.verdict !== 'principal') return parsed.data
  const principal = decodePrincipal(parsed.data.principal)
  return principal === undefined ? UNREADABLE : { verdict: 'principal', principal }
}

function decodePrincipal(text: string): z.output<typeof principalSchema> | undefined {
  try {
    return principalSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
