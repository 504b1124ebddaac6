/** Turn the route table into an OpenAPI 3.1 document. */
import { z } from 'zod'
import type { Route } from '../route/index.ts'
import { ROUTES } from '../route/index.ts'
import { errorAnswer } from '../schema/index.ts'

type Json = Readonly<Record<string, unknown>>

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

function parametersOf(route: Route, place: 'path' | 'query'): readonly Json[] {
  const described = schemaOf(place === 'path' ? route.params : route.query, 'output')
  const properties = (described['properties'] ?? {}) as Readonly<Record<string, Json>>
  const optional = place === 'query' ? new Set(optionalNames(route.query)) : new Set<string>()
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: !optional.has(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }))
}

function optionalNames(schema: z.ZodObject): readonly string[] {
  return Object.entries(schema.shape).flatMap(([name, field]) =>
    (field as z.ZodType).safeParse(undefined).success ? [name] : [],
  )
}

const ERROR_TEXTS: Readonly<Record<number, string>> = {
  400: 'The request is invalid',
  401: 'No token, or not a valid one',
  403: 'The token lacks the scope',
  404: 'There is no such thing',
  409: 'Decided before; the first decision is in the body',
  413: 'The body is too large',
  415: 'The body is not JSON',
  429: 'Too many requests; see Retry-After',
  503: 'Shutting down, or a store is out of reach',
}

/** The error statuses that a route can answer with. */
export function errorStatuses(route: Route): readonly number[] {
  const statuses = [400, 401, 429, 503, ...route.otherStatuses.filter((status) => status >= 400)]
  if (route.access !== 'open') statuses.push(403)
  if (route.body.kind !== 'none') statuses.push(413, 415)
  return [...new Set(statuses)].sort((left, right) => left - right)
}

function responsesOf(route: Route): Json {
  const content = { [route.answerType]: { schema: schemaOf(route.answer, 'output') } }
  const responses: Record<string, Json> = { 200: { description: 'The answer', content } }
  for (const status of route.otherStatuses) if (status < 400) responses[status] = { description: 'Nothing to answer' }
  for (const status of errorStatuses(route)) {
    const error = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
    responses[status] = { description: ERROR_TEXTS[status] ?? 'Error', content: error }
  }
  return responses
}

function bodyOf(route: Route): Json {
  if (route.body.kind === 'none') return {}
  const required = route.body.kind === 'text' && route.body.isJsonRequired
  const content = { 'application/json': { schema: schemaOf(route.body.schema, 'input') } }
  return { requestBody: { required, content } }
}

function operationOf(route: Route): Json {
  const parameters = [...parametersOf(route, 'path'), ...parametersOf(route, 'query')]
  return {
    operationId: route.name,
    summary: route.summary,
    ...(route.access === 'open' ? { security: [] } : {}),
    ...(route.access === 'open' || route.access === 'token' ? {} : { 'x-required-scope': route.access }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...bodyOf(route),
    responses: responsesOf(route),
  }
}

function pathsOf(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) }
  return paths
}

/** The document of the whole interface. */
export function buildOpenApi(version: string): Json {
  return {
    openapi: '3.1.0',
    info: { title: 'Backstop', version, description: 'The safety net between AI agents and PostgreSQL.' },
    security: [{ bearer: [] }, { backstopToken: [] }],
    paths: pathsOf(ROUTES),
    components: {
      schemas: { Error: schemaOf(errorAnswer, 'output') },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        backstopToken: { type: 'apiKey', in: 'header', name: 'X-Backstop-Token' },
      },
    },
  }
}

const texts = new Map<string, string>()

/** As text, built once for each version. */
export function openApiText(version: string): string {
  const known = texts.get(version)
  if (known !== undefined) return known
  const text = JSON.stringify(buildOpenApi(version))
  texts.set(version, text)
  return text
}
