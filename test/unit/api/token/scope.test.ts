import { describe, expect, it } from 'vitest'
import { coversScope, isKnownScope, SCOPES } from '#lib/api/token/index.ts'

describe('coversScope', () => {
  it('covers a scope by its name, by its area and by admin:*', () => {
    for (const scope of SCOPES) {
      expect(coversScope([scope], scope)).toBe(true)
      expect(coversScope(['admin:*'], scope)).toBe(true)
    }
    expect(coversScope(['approval:*'], 'approval:write')).toBe(true)
    expect(SCOPES.length).toBeGreaterThanOrEqual(8)
  })

  const never = [
    'approval:write2',
    'approval:writ',
    'approval:',
    'approval',
    ':*',
    '*',
    'approval:read',
    'APPROVAL:WRITE',
    'query:*',
    'admin:',
    'admin:read',
    ' approval:write',
  ]
  it.each(never)('does not take %j for approval:write', (held) => {
    expect(coversScope([held], 'approval:write')).toBe(false)
  })

  it('does not take the scopes of other areas for admin:*', () => {
    const others = SCOPES.filter((scope) => scope !== 'admin:*')
    expect(coversScope(others, 'admin:*')).toBe(false)
  })
})

describe('isKnownScope', () => {
  it('knows the list and one wildcard for each area', () => {
    for (const scope of [...SCOPES, 'query:*', 'approval:*', 'metadata:*', 'metrics:*', 'restore:*']) {
      expect(isKnownScope(scope)).toBe(true)
    }
    for (const scope of ['*', 'admin', 'admin:', 'foo:*', 'query:', 'query:execute:*', 'constructor']) {
      expect(isKnownScope(scope)).toBe(false)
    }
  })
})
