import { describe, expect, it } from 'vitest'
import { HANDLERS } from '#lib/api/handler/index.ts'
import { createMatcher, ROUTES } from '#lib/api/route/index.ts'

const match = createMatcher(ROUTES)

describe('the matcher', () => {
  it('finds every route of the table', () => {
    for (const route of ROUTES) {
      const found = match(route.method, route.path.replaceAll(/\{\w+\}/g, 'x'))
      expect(found).toMatchObject({ kind: 'found', route: { name: route.name } })
    }
    expect(ROUTES.length).toBeGreaterThanOrEqual(18)
  })

  it('decodes a parameter once', () => {
    expect(match('POST', '/approve/appr_1%2F..%2Fx')).toMatchObject({ params: { id: 'appr_1/../x' } })
    expect(match('POST', '/approve/%252e')).toMatchObject({ params: { id: '%2e' } })
  })

  it.each([
    '//',
    '/health/',
    '//health',
    '/./health',
    '/%68ealth',
    '/HEALTH',
    '/approve',
    '/approve/',
    '/approve/a/b',
    '/approve/%zz',
    '',
    '*',
    'health',
    '/approvals/',
    '/admin/quarantine//release',
    'http://host/health',
    '/health\0',
    '/health;x=1',
  ])('finds nothing at %j', (path) => {
    expect(match('GET', path).kind).toBe('no-path')
  })

  it('says which methods a path takes', () => {
    expect(match('DELETE', '/pending')).toEqual({ kind: 'no-method', allowed: ['GET'] })
    expect(match('GET', '/approve/x')).toEqual({ kind: 'no-method', allowed: ['POST'] })
    expect(match('get', '/health').kind).toBe('no-method')
  })
})

describe('the route table', () => {
  it('has one name, one path and method, and one handler for each route', () => {
    const names = ROUTES.map((route) => route.name)
    expect(new Set(names).size).toBe(names.length)
    expect(new Set(ROUTES.map((route) => `${route.method} ${route.path}`)).size).toBe(names.length)
    expect(Object.keys(HANDLERS).sort()).toEqual([...names].sort())
  })

  it('leaves nothing open but health and the document', () => {
    expect(ROUTES.filter((route) => route.access === 'open').map((route) => route.path)).toEqual([
      '/health',
      '/openapi.json',
    ])
  })

  it('names a parameter schema for every parameter in a path', () => {
    for (const route of ROUTES) {
      const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((found) => found[1])
      expect(Object.keys(route.params.shape)).toEqual(names)
    }
  })
})
