/** Where the members of a set are restored to. */
import { expect, test } from 'vitest'
import { quoteRelation } from '#lib/kernel/index.ts'
import { chooseTargets } from '#lib/recovery/set/targets.ts'

const ORDERS = { schema: 'public', name: 'orders' }
const OTHERS = { schema: 'old', name: 'orders' }
const LONG = { schema: 'public', name: 'x'.repeat(63) }

const targetsOf = (...given: Parameters<typeof chooseTargets>) =>
  [...chooseTargets(...given).values()].map(quoteRelation)

test('beside the originals with a suffix, or in a schema under their own names', () => {
  expect(targetsOf([ORDERS, OTHERS], {})).toEqual(['"public"."orders_recovered"', '"old"."orders_recovered"'])
  expect(targetsOf([ORDERS], { schema: 'recovered' })).toEqual(['"recovered"."orders"'])
  expect(targetsOf([ORDERS], { schema: 'recovered', suffix: '_2' })).toEqual(['"recovered"."orders_2"'])
})

test('members that share a name in one schema get their own schema in front', () => {
  expect(targetsOf([ORDERS, OTHERS], { schema: 'recovered' })).toEqual([
    '"recovered"."public_orders"',
    '"recovered"."old_orders"',
  ])
})

test('a name that is too long stays within the limit of PostgreSQL', () => {
  const [target] = [...chooseTargets([LONG], {}).values()]
  expect(Buffer.byteLength(target?.name ?? '')).toBe(63)
})

test.for([
  ['over a member', [ORDERS], { schema: 'public' }, 'RESTORE_OVER_SOURCE'],
  ['over another member', [ORDERS, { schema: 'public', name: 'orders_recovered' }], {}, 'RESTORE_OVER_SOURCE'],
  [
    'two into one',
    [ORDERS, OTHERS, { schema: 'public', name: 'old_orders' }],
    { schema: 'r' },
    'RESTORE_TARGET_EXISTS',
  ],
] as const)('%s is refused', ([, members, place, code]) => {
  expect(() => chooseTargets(members, place)).toThrow(expect.objectContaining({ code }))
})
