/** Lines to copy into a shell: what each kind of caller does first. */
import type { Block } from '../terminal/index.ts'

export type TokenWords = Readonly<Record<'agent' | 'operator' | 'ops' | 'admin', string>>

/** Where tokens come from a file they are not known here: the shell fills them in. */
export const TOKEN_VARIABLES: TokenWords = {
  agent: '$AGENT_TOKEN',
  operator: '$OPERATOR_TOKEN',
  ops: '$OPS_TOKEN',
  admin: '$ADMIN_TOKEN',
}

function executeBody(query: string, agentId: string): string {
  const call = { name: 'execute_query', arguments: { query, agent_id: agentId } }
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call })
}

export interface CurlOptions {
  readonly url: string
  readonly tokens: TokenWords
  readonly agentId: string
  readonly read: string
  readonly danger: string
}

export function curlBlocks({ url, tokens, agentId, read, danger }: CurlOptions): readonly Block[] {
  const as = (token: string) => `-H "Authorization: Bearer ${token}"`
  const run = (query: string) =>
    `curl -s ${url}/ ${as(tokens.agent)} -H 'Content-Type: application/json' \\\n  -d '${executeBody(query, agentId)}'`
  const lines: readonly (readonly [string, string])[] = [
    ['An agent reads', run(read)],
    ['An agent tries something dangerous: it is held', run(danger)],
    [
      'An operator sees what is held, and decides; then the agent sends its statement again',
      `curl -s ${url}/pending ${as(tokens.operator)}\ncurl -s -X POST ${url}/approve/appr_… ${as(tokens.operator)}`,
    ],
    ['Health for monitoring', `curl -s ${url}/metadata/health ${as(tokens.ops)}`],
    [
      'Emergency stop, and its end',
      `curl -s -X POST ${url}/admin/pause ${as(tokens.admin)}\ncurl -s -X POST ${url}/admin/resume ${as(tokens.admin)}`,
    ],
  ]
  return lines.flatMap(([title, code]): Block[] => [
    { kind: 'title', text: title },
    { kind: 'code', text: code },
  ])
}
