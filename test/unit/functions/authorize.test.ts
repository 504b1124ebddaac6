/** The authorizer: it lets every request through with a verdict, and knows no token that was taken away for long. */
import { describe, expect, it } from 'vitest'
import { decideAuthorization } from '#functions/gate/authorize/decide.ts'
import { decodeVerdict } from '#functions/shared/http/verdict.ts'
import { createTokenSecret } from '#functions/shared/port/tokens.ts'
import { TOKEN_FILE, TOKENS } from '#test/support/api/in-memory-services.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { httpApiEvent, restEvent } from '#test/support/functions/event.ts'

function open(text = TOKEN_FILE) {
  const clock = createFixedClock()
  const state = { text, reads: 0, isDown: false }
  const tokens = createTokenSecret({
    clock,
    cacheMs: 15_000,
    async read() {
      state.reads += 1
      if (state.isDown) throw new Error('throttled')
      return state.text
    },
  })
  const ask = async (headers: Record<string, string>) => {
    const answer = await decideAuthorization(httpApiEvent({ method: 'GET', path: '/', headers }), tokens)
    expect(answer).toMatchObject({ isAuthorized: true })
    return decodeVerdict(answer.context)
  }
  return { clock, state, tokens, ask }
}

describe('the authorizer', () => {
  it('finds the principal of a token, in either header', async () => {
    const { ask } = open()
    const agent = { name: 'agent', scopes: ['query:execute', 'query:analyze'], agentIds: [] }
    expect(await ask({ Authorization: `Bearer ${TOKENS.agent}` })).toEqual({ verdict: 'principal', principal: agent })
    expect(await ask({ 'X-Backstop-Token': TOKENS.bound })).toMatchObject({
      principal: { name: 'bound', agentIds: ['billing-bot'] },
    })
  })

  it('reads no secret for a request that presents nothing', async () => {
    const { ask, state } = open()
    expect(await ask({})).toEqual({ verdict: 'absent' })
    expect(state.reads).toBe(0)
  })

  it.each([
    [{ Authorization: 'Bearer not-a-token-of-ours' }, 'unknown'],
    [{ Authorization: 'Basic abc' }, 'malformed'],
    [{ Authorization: `Bearer ${TOKENS.agent},Bearer ${TOKENS.admin}` }, 'malformed'],
    [{ Authorization: `Bearer ${TOKENS.agent}`, 'X-Backstop-Token': TOKENS.admin }, 'malformed'],
    [{ 'X-Backstop-Token': `${TOKENS.agent},${TOKENS.admin}` }, 'unknown'],
  ])('refuses %j as %s', async (headers, verdict) => {
    expect(await open().ask(headers as unknown as Record<string, string>)).toMatchObject({ verdict })
  })

  it('lets a token that was taken away in for no longer than its copy is kept', async () => {
    const { ask, state, clock } = open()
    const headers = { Authorization: `Bearer ${TOKENS.agent}` }
    expect(await ask(headers)).toMatchObject({ verdict: 'principal' })
    state.text = JSON.stringify(JSON.parse(TOKEN_FILE).filter(({ id }: { id: string }) => id !== 'agent'))
    clock.advance(14_999)
    expect(await ask(headers)).toMatchObject({ verdict: 'principal' })
    clock.advance(1)
    expect(await ask(headers)).toMatchObject({ verdict: 'unknown' })
    expect(state.reads).toBe(2)
  })

  it('lets nobody in when the tokens cannot be read, says nothing of them, and asks again', async () => {
    const { ask, state } = open()
    const headers = { Authorization: `Bearer ${TOKENS.agent}` }
    state.isDown = true
    expect(await ask(headers)).toEqual({
      verdict: 'unavailable',
      message: 'the tokens cannot be checked at the moment',
    })
    state.isDown = false
    expect(await ask(headers)).toMatchObject({ verdict: 'principal' })
    const broken = open('[{"id":"agent","token":"short","scopes":["admin:*"]}]')
    expect(JSON.stringify(await broken.ask(headers))).not.toContain('short')
  })

  it('answers a REST API with a policy for its stage, whoever asks', async () => {
    const { tokens } = open()
    const event = {
      ...restEvent({ method: 'GET', path: '/pending', headers: { authorization: `Bearer ${TOKENS.operator}` } }),
      type: 'REQUEST',
      methodArn: 'arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod/GET/pending',
    }
    const answer = await decideAuthorization(event, tokens)
    expect(answer).toMatchObject({
      principalId: 'operator',
      policyDocument: {
        Statement: [{ Effect: 'Allow', Resource: 'arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod/*' }],
      },
    })
    expect(Object.values(answer.context).every((value) => typeof value === 'string')).toBe(true)
  })
})
