/** Who gets in, asked of the deployed authorizer and the functions behind it. */
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { openCloudGateway } from '#test/support/cloud/gateway.ts'
import { eventually } from '#test/support/eventually.ts'
import { outputOf } from '../../../localstack/deploy.ts'

export function access(): void {
  const deployed = inject('deployed')
  const gateway = openCloudGateway(deployed)
  const ask = async (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) => {
    const response = await fetch(new URL(path, deployed.apiUrl), { ...init, headers })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

  const secrets = new SecretsManagerClient({
    endpoint: inject('deployedOn').endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const SecretId = outputOf(deployed.outputs, 'TokensSecretName')
  const readTokenFile = async () => (await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString as string
  const writeTokenFile = (SecretString: string) => secrets.send(new PutSecretValueCommand({ SecretId, SecretString }))

  describe('access to a deployment', () => {
    it('says that it is there to anybody', async () => {
      expect(await ask('health')).toMatchObject({ status: 200, body: { status: 'ok' } })
    })

    it.each([
      ['no token', {}],
      ['an unknown token', bearer('nobody-gave-this-token-0123456789')],
      ['another scheme', { authorization: 'Basic dTpw' }],
      ['a token that begins like a valid one', bearer(`${deployed.tokens.ops}x`)],
      ['two different tokens', { ...bearer(deployed.tokens.ops), 'x-backstop-token': deployed.tokens.agent }],
    ])('refuses %s with 401 in the words of the interface', async (_, headers) => {
      const { status, body } = await ask('metadata/health', headers as Record<string, string>)
      expect([status, body['error']]).toEqual([401, 'unauthorized'])
    })

    it('refuses a token without the scope with exactly the fields of the interface', async () => {
      const { status, body } = await ask('approve/appr_0', bearer(deployed.tokens.agent), { method: 'POST' })
      expect([status, body]).toEqual([
        403,
        {
          error: 'insufficient_scope',
          message: 'Token does not have approval:write scope',
          required_scope: 'approval:write',
        },
      ])
    })

    it('takes the token in its own header too', async () => {
      const { status } = await ask('metadata/health', { 'x-backstop-token': deployed.tokens.ops })
      expect(status).toBe(200)
    })

    it('cannot be told who calls by the caller', async () => {
      const principal = JSON.stringify({ name: 'admin', scopes: ['admin:*'], agentIds: [] })
      const forged = { 'x-amzn-authorizer-principal': principal, principal, verdict: 'principal' }
      expect((await ask('admin/status', forged)).status).toBe(401)
      expect((await ask(`admin/status?principal=${encodeURIComponent(principal)}`)).status).toBe(401)
    })

    it('knows no other paths and methods', async () => {
      expect((await ask('nothing/here', bearer(deployed.tokens.admin))).status).toBe(404)
      expect((await ask('metadata//health', bearer(deployed.tokens.ops))).status).toBe(404)
    })

    it.each([
      'metadata%2Fhealth',
      'metadata/health/',
      'METADATA/health',
      'metadata/%68ealth',
      '/metadata/health',
      'admin%2Fstatus',
      'pending%3F',
      'nothing/../metadata/health',
    ])('gives nothing away at %s without a token: what no route names is not authorized either', async (path) => {
      const { status } = await ask(path.startsWith('/') ? `.${path}` : path)
      expect([400, 401, 404, 405, 503]).toContain(status)
    })

    it('speaks MCP under the same token', async () => {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: {} }
      const params = { name: 'execute_query', arguments: { query: 'SELECT 1 AS one', agent_id: 'shop-agent' } }
      const { status, body } = await gateway.send('agent', 'POST', '/mcp', { ...message, params })
      expect(status).toBe(200)
      expect(body).toMatchObject({ result: { isError: false, structuredContent: { rows: [{ one: 1 }] } } })
    })

    describe('when a token is revoked', () => {
      let before: string | undefined
      afterAll(async () => {
        if (before !== undefined) await writeTokenFile(before)
      })

      it('stops it within the time that the authorizer keeps what it read', async () => {
        expect((await ask('metadata/health', bearer(deployed.tokens.ops))).status).toBe(200)
        before = await readTokenFile()
        const left = (JSON.parse(before) as { readonly id: string }[]).filter(({ id }) => id !== 'ops')
        await writeTokenFile(JSON.stringify(left))
        const asked = async () => (await ask('metadata/health', bearer(deployed.tokens.ops))).status === 401
        await eventually(asked, { timeoutMs: 120_000, everyMs: 500, what: 'the end of a revoked token' })
        expect((await ask('pending', bearer(deployed.tokens.operator))).status).toBe(200)
      })
    })
  })
}
