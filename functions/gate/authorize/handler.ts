/** gate.authorize: who a request is from, by the token that it presents. */
import { functionChain, noteFacts, once, openTokenSecret } from '../../shared/index.ts'
import { decideAuthorization } from './decide.ts'

const tokens = once(async () => openTokenSecret())

export const handler = functionChain('gate.authorize').handler(async (event: unknown, context) => {
  const answer = await decideAuthorization(event, await tokens())
  noteFacts(context, { verdict: answer.context.verdict })
  return answer
})
