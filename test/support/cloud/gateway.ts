/** Calls of a deployed gateway, as an agent or an operator would make them. */
import { type GatewayReply, openGateway } from '#lib/cli/gateway/index.ts'
import { AGENT_ID, type ShopPrincipal } from '#lib/cli/shop/index.ts'
import type { Deployed } from '../../../localstack/state.ts'

export interface StatementAnswer {
  readonly status: string
  readonly risk_level: string
  readonly approval_id?: string
  readonly message?: string
  readonly effect?: string
  readonly rows?: readonly Readonly<Record<string, unknown>>[]
  readonly rows_affected?: number
  readonly undo?: { readonly available: boolean; readonly audit_id?: string; readonly row_count?: number }
}

export interface CloudGateway {
  send(principal: ShopPrincipal, method: 'GET' | 'POST', path: string, body?: object): Promise<GatewayReply>
  execute(query: string, more?: object): Promise<StatementAnswer>
}

export function openCloudGateway({ apiUrl, tokens }: Deployed): CloudGateway {
  const send: CloudGateway['send'] = (principal, method, path, body) =>
    openGateway({ url: apiUrl, token: tokens[principal] }).send(method, path, body)
  return {
    send,
    async execute(query, more = {}) {
      const params = { name: 'execute_query', arguments: { query, agent_id: AGENT_ID, ...more } }
      const reply = await send('agent', 'POST', '/', { jsonrpc: '2.0', id: 1, method: 'tools/call', params })
      const { result } = reply.body as { readonly result?: StatementAnswer }
      if (result === undefined) throw new Error(`HTTP ${reply.status}: ${JSON.stringify(reply.body)}`)
      return result
    },
  }
}
