import { expect, test } from 'vitest'
import { isProtectedColumn, isProtectedTable, matchesTable, protectedColumnsOf } from '#lib/gate/policy/index.ts'
import { policyOf } from './sample-facts.ts'

const CASES: readonly (readonly [string, string, string, boolean])[] = [
  ['users', 'public', 'users', true],
  ['users', 'crm', 'users', true],
  ['Users', 'public', 'users', true],
  ['users', 'public', 'Users', true],
  ['"Users"', 'public', 'users', true],
  ['crm.users', 'crm', 'users', true],
  ['crm.users', 'public', 'users', false],
  ['CRM.Users', 'crm', 'users', true],
  [' crm . users ', 'crm', 'users', true],
  ['"a.b".c', 'a.b', 'c', true],
  ['"a.b"', 'public', 'a.b', true],
  ['a.b', 'public', 'a.b', false],
  ['"x""y"', 'public', 'x"y', true],
  ['user', 'public', 'users', false],
  ['order items', 'public', 'order items', true],
]

test.each(CASES)('the entry %s on %s.%s: %s %s', (entry, schema, name, expected) => {
  expect(matchesTable(entry, { schema, name })).toBe(expected)
})

test('a protected table is protected in every schema, or only in the one that is named', () => {
  const { policy } = policyOf({ protected_tables: ['users', 'crm.leads'] })
  expect(isProtectedTable(policy, { schema: 'archive', name: 'users' })).toBe(true)
  expect(isProtectedTable(policy, { schema: 'crm', name: 'leads' })).toBe(true)
  expect(isProtectedTable(policy, { schema: 'public', name: 'leads' })).toBe(false)
})

test('protected columns of a table are collected from every entry that means it', () => {
  const { policy } = policyOf({
    protected_columns: { users: ['email'], 'crm.users': ['phone', 'email'], cards: ['*'] },
  })
  expect(protectedColumnsOf(policy, { schema: 'crm', name: 'users' })).toEqual(['email', 'phone'])
  expect(protectedColumnsOf(policy, { schema: 'public', name: 'users' })).toEqual(['email'])
  expect(protectedColumnsOf(policy, { schema: 'public', name: 'orders' })).toEqual([])
  expect(isProtectedColumn(policy, { schema: 'public', name: 'users' }, 'EMAIL')).toBe(true)
  expect(isProtectedColumn(policy, { schema: 'public', name: 'users' }, 'phone')).toBe(false)
  expect(isProtectedColumn(policy, { schema: 'public', name: 'users' }, '*')).toBe(true)
  expect(isProtectedColumn(policy, { schema: 'public', name: 'cards' }, 'anything')).toBe(true)
  expect(isProtectedColumn(policy, { schema: 'public', name: 'orders' }, '*')).toBe(false)
})
