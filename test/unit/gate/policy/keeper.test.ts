import { expect, test } from 'vitest'
import type { PolicyChange, PolicyRefusal } from '#lib/gate/policy/index.ts'
import { openPolicyKeeper } from '#lib/gate/policy/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'

const clock = { nowMs: () => 1_767_225_600_000, monotonicMs: () => 0 }

async function keeperOf(first: string | undefined) {
  const file = { read: async (): Promise<string | undefined> => first }
  const changes: PolicyChange[] = []
  const refusals: PolicyRefusal[] = []
  const keeper = await openPolicyKeeper({
    read: () => file.read(),
    levelActions: { HIGH: 'block' },
    clock,
    onChange: (change) => void changes.push(change),
    onRefused: (refusal) => void refusals.push(refusal),
  })
  const write = (text: string | undefined) => {
    file.read = async () => text
  }
  return { keeper, write, changes, refusals, file }
}

test('without a file the defaults are in force, with the overrides', async () => {
  const { keeper } = await keeperOf(undefined)
  expect(keeper.active()).toMatchObject({ policy: { max_snapshot_age_seconds: 300 }, levelActions: { HIGH: 'block' } })
  expect(await keeper.reload()).toEqual({ outcome: 'unchanged' })
})

test('a malformed first version is no start', async () => {
  await expect(keeperOf('{"protected_table":[]}')).rejects.toMatchObject({
    code: 'POLICY_INVALID',
    message: 'protected_table: is not a field of the policy; did you mean protected_tables?',
  })
})

test('a new version comes into force and is told with the one before', async () => {
  const { keeper, write, changes } = await keeperOf('{}')
  const before = keeper.active()
  write('{"protected_tables":["users"]}')
  expect(await keeper.reload()).toMatchObject({ outcome: 'changed' })
  expect(keeper.active().policy.protected_tables).toEqual(['users'])
  expect(changes).toEqual([{ from: before, to: keeper.active(), at: '2026-01-01T00:00:00.000Z' }])
})

test('a version that says the same in other words is no change', async () => {
  const { keeper, write, changes } = await keeperOf('{"block_operations":["DROP TABLE","TRUNCATE"]}')
  write('{ "block_operations": ["truncate", "drop table"] }')
  expect(await keeper.reload()).toEqual({ outcome: 'unchanged' })
  expect(changes).toEqual([])
})

test('a malformed new version is refused and told once, and the last good one stays in force until it is mended', async () => {
  const { keeper, write, refusals } = await keeperOf('{"protected_tables":["users"]}')
  const good = keeper.active()
  write('{"protected_tables":[')
  expect(await keeper.reload()).toMatchObject({ outcome: 'refused' })
  await keeper.reload()
  expect(keeper.active()).toBe(good)
  expect(refusals).toHaveLength(1)
  expect(keeper.lastProblem()?.problems).toHaveLength(1)
  write('{"protected_tables":["users","cards"]}')
  await keeper.reload()
  expect(keeper.lastProblem()).toBeUndefined()
  expect(keeper.active().policy.protected_tables).toEqual(['cards', 'users'])
})

test('a problem goes away when the old version comes back', async () => {
  const { keeper, write } = await keeperOf('{}')
  write('nonsense')
  await keeper.reload()
  expect(keeper.lastProblem()).toBeDefined()
  write('{}')
  expect(await keeper.reload()).toEqual({ outcome: 'unchanged' })
  expect(keeper.lastProblem()).toBeUndefined()
})

test('a file that vanishes does not bring the defaults back', async () => {
  const { keeper, write } = await keeperOf('{"protected_tables":["users"]}')
  write(undefined)
  expect(await keeper.reload()).toMatchObject({ outcome: 'refused', refusal: { message: 'the policy file is gone' } })
  expect(keeper.active().policy.protected_tables).toEqual(['users'])
})

test('a read that fails keeps the policy, and does not show what failed inside', async () => {
  const { keeper, file } = await keeperOf('{}')
  file.read = async () => {
    throw new Error('EACCES /home/someone/policy.json')
  }
  await keeper.reload()
  expect(keeper.lastProblem()?.message).toBe('the policy could not be read or put into force')
})

test('a change that cannot be recorded does not come into force', async () => {
  const keeper = await openPolicyKeeper({
    read: async () => (reads++ === 0 ? '{}' : '{"protected_tables":["users"]}'),
    levelActions: {},
    clock,
    onChange: async () => {
      throw new BackstopError('AUDIT_UNAVAILABLE', 'the ledger cannot be written')
    },
  })
  expect(await keeper.reload()).toMatchObject({ outcome: 'refused' })
  expect(keeper.active().policy.protected_tables).toEqual([])
  expect(keeper.lastProblem()?.message).toBe('the ledger cannot be written')
})
let reads = 0

test('reloads run one after the other, so that the last content wins', async () => {
  const { keeper, file } = await keeperOf('{}')
  const contents = ['{"max_snapshot_age_seconds":1}', '{"max_snapshot_age_seconds":2}']
  let running = 0
  file.read = async () => {
    running += 1
    expect(running).toBe(1)
    await Promise.resolve()
    running -= 1
    return contents.shift()
  }
  await Promise.all([keeper.reload(), keeper.reload()])
  expect(keeper.active().policy.max_snapshot_age_seconds).toBe(2)
})
