import { expect, test } from 'vitest'
import type { DecisionFacts } from '#lib/gate/policy/index.ts'
import { needsRelatedTables, planRecovery } from '#lib/gate/policy/index.ts'
import { factsOf, policyOf } from './sample-facts.ts'

const table = (name: string, schema = 'public') => ({ schema, name })

const DROP_ORDERS = factsOf({
  level: 'CRITICAL',
  operation: 'DROP TABLE',
  recoverability: 'tables',
  directTables: [table('orders')],
  cascadeTables: [table('items')],
})

function planOf(facts: DecisionFacts, fields: object = {}) {
  return planRecovery(facts, policyOf(fields).policy)
}

test('a destruction needs a fresh point of what it names, and captures what its cascade reaches', () => {
  expect(planOf(DROP_ORDERS)).toEqual({
    required: true,
    readyTables: [table('orders')],
    readyGroups: [],
    captureTables: [table('items'), table('orders')],
    maxAgeSeconds: 300,
    maxHeartbeatSeconds: 120,
    verifyObjects: false,
  })
})

test('the plan is the same where CRITICAL executes without approval', () => {
  const executing = policyOf({ require_approval_for_risks: [] }, { CRITICAL: 'execute' })
  expect(planRecovery(DROP_ORDERS, executing.policy)).toEqual(planOf(DROP_ORDERS))
})

test('a write that is IMPACT_CRITICAL needs a point of the table whose rows it changes', () => {
  const plan = planOf(factsOf({ level: 'IMPACT_CRITICAL', writtenTables: [table('orders')] }))
  expect(plan).toMatchObject({ required: true, readyTables: [table('orders')], captureTables: [table('orders')] })
})

test('nothing is demanded for a read of a protected column, a LOW write, or where the policy asks for none', () => {
  const nothing = { required: false, readyTables: [], captureTables: [] }
  expect(planOf(factsOf({ level: 'IMPACT_CRITICAL', operation: 'SELECT' }))).toMatchObject(nothing)
  expect(planOf(factsOf({ level: 'LOW', writtenTables: [table('orders')] }))).toMatchObject(nothing)
  expect(planOf(DROP_ORDERS, { require_recovery_for_critical: false })).toMatchObject(nothing)
})

test('cascade readiness demands fresh points of one instant of the tables that a cascade reaches', () => {
  const plan = planOf(DROP_ORDERS, { cascade_risk_requires_group_readiness: true })
  expect(plan.readyTables).toEqual([table('items'), table('orders')])
  expect(plan.readyGroups).toEqual([[table('items'), table('orders')]])
})

test('a recovery group brings its other tables along, in the schema of the one that is written', () => {
  const groups = { recovery_groups: { checkout: ['orders', 'payments', 'ledger.entries'], other: ['users', 'teams'] } }
  const plan = planOf({ ...DROP_ORDERS, directTables: [table('orders', 'shop')], cascadeTables: [] }, groups)
  expect(plan.readyTables).toEqual([table('entries', 'ledger'), table('orders', 'shop'), table('payments', 'shop')])
  expect(plan.readyGroups).toEqual([plan.readyTables])
  expect(plan.captureTables).toEqual(plan.readyTables)
})

test('groups that share a table are one, and groups that share none are several', () => {
  const facts = { ...DROP_ORDERS, directTables: [table('orders'), table('users')], cascadeTables: [] }
  const apart = { recovery_groups: { checkout: ['orders', 'payments'], people: ['users', 'teams'] } }
  expect(planOf(facts, apart).readyGroups).toEqual([
    [table('orders'), table('payments')],
    [table('teams'), table('users')],
  ])
  const joined = { recovery_groups: { ...apart.recovery_groups, both: ['orders', 'users'] } }
  expect(planOf(facts, joined).readyGroups).toEqual([
    [table('orders'), table('payments'), table('teams'), table('users')],
  ])
})

test('the group of a partitioned table is found by its name, and its rows are captured once', () => {
  const facts = {
    ...DROP_ORDERS,
    directTables: [table('orders_1'), table('orders_2')],
    cascadeTables: [],
    partitionedTables: [table('orders')],
  }
  const plan = planOf(facts, { recovery_groups: { checkout: ['orders', 'payments'] } })
  expect(plan.readyGroups).toEqual([[table('orders'), table('payments')]])
  expect(plan.captureTables).toEqual([table('orders_1'), table('orders_2'), table('payments')])
})

test('the group of a table that only a cascade reaches is captured with it', () => {
  const plan = planOf(DROP_ORDERS, { recovery_groups: { stock: ['items', 'stock'] } })
  expect(plan.readyTables).toEqual([table('orders')])
  expect(plan.captureTables).toEqual([table('items'), table('orders'), table('stock')])
})

test('foreign-key grouping brings related tables along', () => {
  const grouping = { foreign_key_grouping_enabled: true }
  const facts = { ...DROP_ORDERS, relatedTables: [table('customers')] }
  expect(planOf(facts, grouping).readyTables).toEqual([table('customers'), table('orders')])
  expect(planOf(facts, grouping).readyGroups).toEqual([[table('customers'), table('orders')]])
  expect(planOf(facts).readyTables).toEqual([table('orders')])
})

test('foreign-key grouping refuses to plan without having looked', () => {
  const { policy } = policyOf({ foreign_key_grouping_enabled: true })
  expect(needsRelatedTables(DROP_ORDERS, policy)).toBe(true)
  expect(needsRelatedTables(factsOf(), policy)).toBe(false)
  expect(needsRelatedTables(DROP_ORDERS, policyOf({}).policy)).toBe(false)
  expect(() => planRecovery(DROP_ORDERS, policy)).toThrow('the related tables were not looked up')
})

test('freshness, heartbeat and checksum are as the policy says, zero included', () => {
  expect(
    planOf(DROP_ORDERS, {
      max_snapshot_age_seconds: 0,
      max_sidecar_heartbeat_seconds: 0,
      require_object_checksum: true,
    }),
  ).toMatchObject({ maxAgeSeconds: 0, maxHeartbeatSeconds: 0, verifyObjects: true })
  expect(planOf(DROP_ORDERS, { require_sidecar_heartbeat: false })).not.toHaveProperty('maxHeartbeatSeconds')
})
