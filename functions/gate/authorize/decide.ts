/** Answer API Gateway's question who a request is from. It always lets the request through, with a verdict that the function acts on. */
import { z } from 'zod'
import { type Identification, identifyByTokens } from '#lib/api/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import { type AuthorizerContext, encodeVerdict } from '../../shared/http/verdict.ts'
import { log } from '../../shared/log.ts'
import type { TokenSecret } from '../../shared/port/tokens.ts'

const eventSchema = z.object({
  headers: z.record(z.string(), z.string().optional()).nullish(),
  multiValueHeaders: z.record(z.string(), z.array(z.string()).optional()).nullish(),
  /** Of a REST API alone; an HTTP API takes the short form of an answer. */
  methodArn: z.string().optional(),
})

type AuthorizerEvent = z.output<typeof eventSchema>

export type AuthorizerAnswer =
  | { readonly isAuthorized: true; readonly context: AuthorizerContext }
  | { readonly principalId: string; readonly policyDocument: object; readonly context: AuthorizerContext }

function headerValues({ headers, multiValueHeaders }: AuthorizerEvent, name: string): readonly string[] {
  const isNamed = ([key]: readonly [string, unknown]) => key.toLowerCase() === name
  const multiple = Object.entries(multiValueHeaders ?? {}).find(isNamed)?.[1]
  if (multiple !== undefined) return multiple
  return Object.entries(headers ?? {}).flatMap((entry) => (isNamed(entry) && entry[1] !== undefined ? [entry[1]] : []))
}

/** The secret is only read for a request that presents something. */
async function identify(event: AuthorizerEvent, tokens: TokenSecret): Promise<Identification> {
  const request = { headerValues: (name: string) => headerValues(event, name) }
  const isEmpty = headerValues(event, 'authorization').length + headerValues(event, 'x-backstop-token').length === 0
  if (isEmpty) return { verdict: 'absent' }
  try {
    return identifyByTokens(await tokens.registry())(request)
  } catch (error) {
    log('error', 'tokens_unavailable', { reason: isBackstopError(error) ? error.message : 'see the cause' })
    return { verdict: 'unavailable', message: 'the tokens cannot be checked at the moment' }
  }
}

/** The whole stage of this API: the answer may be kept for other routes. */
function policyFor(methodArn: string) {
  const [api = methodArn, stage = '*'] = methodArn.split('/')
  const statement = { Action: 'execute-api:Invoke', Effect: 'Allow', Resource: `${api}/${stage}/*` }
  return { Version: '2012-10-17', Statement: [statement] }
}

/** Throws for an event of another shape; API Gateway then answers 500 by itself. */
export async function decideAuthorization(given: unknown, tokens: TokenSecret): Promise<AuthorizerAnswer> {
  const event = eventSchema.parse(given)
  const found = await identify(event, tokens)
  const context = encodeVerdict(found)
  if (event.methodArn === undefined) return { isAuthorized: true, context }
  const principalId = found.verdict === 'principal' ? found.principal.name : found.verdict
  return { principalId, policyDocument: policyFor(event.methodArn), context }
}
