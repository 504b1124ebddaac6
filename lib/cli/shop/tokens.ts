/** Tokens for a product that is only tried out: made at the start, gone at the end. */
import { systemRandom } from '#lib/adapters/system/index.ts'
import { makeToken, TOKEN_BYTES, type TokenOrder } from '../token/index.ts'

export const AGENT_ID = 'shop-agent'

const ORDERS = {
  agent: { scopes: ['query:execute', 'query:analyze'], agentIds: [AGENT_ID] },
  operator: { scopes: ['approval:read', 'approval:write'] },
  ops: { scopes: ['metadata:read', 'metrics:read'] },
  admin: { scopes: ['admin:*'] },
} as const satisfies Record<string, Omit<TokenOrder, 'id'>>

export type ShopPrincipal = keyof typeof ORDERS

export interface ShopTokens {
  /** Text of a token file with digests. */
  readonly fileText: string
  readonly tokens: Readonly<Record<ShopPrincipal, string>>
}

export function makeShopTokens(): ShopTokens {
  const made = Object.entries(ORDERS).map(([id, order]) => makeToken({ id, ...order }, systemRandom.bytes(TOKEN_BYTES)))
  const tokens = Object.fromEntries(made.map(({ token, entry }) => [entry.id, token]))
  return {
    fileText: JSON.stringify(made.map(({ entry }) => entry)),
    tokens: tokens as Record<ShopPrincipal, string>,
  }
}
