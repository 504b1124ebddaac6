import { describe, expect, it } from 'vitest'
import { buildOpenApi, createApi, ROUTES, renderHttpDocument } from '#lib/api/index.ts'
import { callApi } from '#test/support/api/call.ts'
import { createInMemoryServices, SETTINGS } from '#test/support/api/in-memory-services.ts'

// biome-ignore lint/suspicious/noExplicitAny: the document is checked field by field
const document = buildOpenApi('1.2.3') as any

function* references(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    if (key === '$ref') yield String(member)
    else yield* references(member)
  }
}

describe('the OpenAPI document', () => {
  it('has every route of the table, and nothing else', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(operations.sort()).toEqual(ROUTES.map((route) => `${route.method} ${route.path}`).sort())
    expect(operations.length).toBeGreaterThanOrEqual(18)
  })

  it('declares every path parameter, and only references that exist', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      // biome-ignore lint/suspicious/noExplicitAny: see above
      for (const operation of Object.values(methods as any) as any[]) {
        const names = (operation.parameters ?? []).flatMap((parameter: { in: string; name: string }) =>
          parameter.in === 'path' ? [parameter.name] : [],
        )
        expect(names).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]))
        expect(Object.keys(operation.responses)).toContain('200')
      }
    }
    const found = [...references(document)].filter((reference) => reference.startsWith('#/components'))
    expect(new Set(found)).toEqual(new Set(['#/components/schemas/Error']))
    expect(document.components.schemas.Error).toBeDefined()
  })

  it('describes query parameters by their values and whether they are needed', () => {
    const { parameters } = document.paths['/metadata/audit'].get
    expect(parameters.map(({ name, required }: { name: string; required: boolean }) => [name, required])).toEqual([
      ['agent_id', false],
      ['risk', false],
      ['limit', false],
      ['cursor', false],
    ])
    expect(parameters[2].schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 500, default: 100 })
    expect(document.paths['/admin/snapshot'].post.parameters[0]).toMatchObject({ name: 'table', required: true })
  })

  it('says which scope a route needs', () => {
    expect(document.paths['/approve/{id}'].post['x-required-scope']).toBe('approval:write')
    expect(document.paths['/health'].get.security).toEqual([])
    expect(document.paths['/'].post.security).toBe(undefined)
  })

  it('is served to anybody', async () => {
    const api = createApi(createInMemoryServices(), SETTINGS)
    const answer = await callApi(api, 'GET', '/openapi.json')
    expect(answer.body).toEqual(JSON.parse(JSON.stringify(document)))
  })
})

describe('docs/http.md', () => {
  it('is what the route table says', async () => {
    await expect(renderHttpDocument()).toMatchFileSnapshot('../../../../docs/http.md')
  })
})
