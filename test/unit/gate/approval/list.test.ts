import { expect, test } from 'vitest'
import { sha256Hex } from '#lib/kernel/index.ts'
import type { OpenedDesk } from './sample-request.ts'
import { openDesk, PENDING_MS, requestOf, VALID_MS } from './sample-request.ts'

/** Holds statements one second apart and returns their ids, oldest first. */
async function holdMany({ desk, clock }: OpenedDesk, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    ids.push((await desk.hold(requestOf({ statementSha256: sha256Hex(`statement ${index}`) }))).id)
    clock.advance(1_000)
  }
  return ids
}

async function listAll(desk: OpenedDesk['desk'], filter: Parameters<typeof desk.list>[0]): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await desk.list({ ...filter, ...(cursor === undefined ? {} : { cursor }) })
    ids.push(...page.approvals.map((approval) => approval.id))
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids
}

test('lists newest first, page by page, everything or one state', async () => {
  const opened = openDesk()
  const ids = await holdMany(opened, 7)
  await opened.desk.decide(ids[2] as string, { outcome: 'denied', decidedBy: 'operator' })
  await opened.desk.decide(ids[5] as string, { outcome: 'approved', decidedBy: 'operator' })
  expect(await listAll(opened.desk, { limit: 2 })).toEqual(ids.toReversed())
  expect(await listAll(opened.desk, { state: 'pending', limit: 2 })).toEqual([6, 4, 3, 1, 0].map((index) => ids[index]))
  expect(await listAll(opened.desk, { state: 'denied' })).toEqual([ids[2]])
  expect(await listAll(opened.desk, { state: 'approved' })).toEqual([ids[5]])
})

test('what is overdue is not listed as pending', async () => {
  const opened = openDesk()
  const ids = await holdMany(opened, 3)
  opened.clock.advance(PENDING_MS - 2_500)
  expect(await listAll(opened.desk, { state: 'pending' })).toEqual([ids[2], ids[1]])
  expect(await listAll(opened.desk, { state: 'expired' })).toEqual([ids[0]])
})

test('expires everything that is overdue, pending or approved, over several pages, and counts it once', async () => {
  const opened = openDesk({ maxPendingPerPrincipal: 500 })
  const ids = await holdMany(opened, 30)
  const used = ids[1] as string
  await opened.desk.decide(ids[0] as string, { outcome: 'approved', decidedBy: 'operator' })
  await opened.desk.decide(used, { outcome: 'approved', decidedBy: 'operator' })
  await opened.desk.claim(used, requestOf({ statementSha256: sha256Hex('statement 1') }).binding, 'aud_1')
  expect(await opened.desk.expireDue()).toBe(0)
  opened.clock.advance(PENDING_MS + VALID_MS)
  expect(await opened.desk.expireDue()).toBe(29)
  expect(await opened.desk.expireDue()).toBe(0)
  expect(await listAll(opened.desk, { state: 'expired' })).toHaveLength(29)
  expect((await opened.desk.find(used))?.state).toBe('consumed')
})

test('two instances that expire at once count each approval at most once between them', async () => {
  const opened = openDesk()
  await holdMany(opened, 10)
  opened.clock.advance(PENDING_MS)
  const others = [opened.reopen(), opened.reopen()]
  await Promise.all(others.map((desk) => desk.expireDue()))
  expect(await listAll(opened.desk, { state: 'expired' })).toHaveLength(10)
})

test('a clock that jumps forward expires, and jumping back revives nothing', async () => {
  const opened = openDesk()
  const [id] = await holdMany(opened, 1)
  opened.clock.jump(PENDING_MS)
  expect((await opened.desk.find(id as string))?.state).toBe('expired')
  opened.clock.jump(-PENDING_MS)
  expect((await opened.desk.find(id as string))?.state).toBe('expired')
})

test('a clock that goes back gives no more time to what this process has seen', async () => {
  const opened = openDesk()
  const [first, second] = (await holdMany(opened, 2)) as [string, string]
  await opened.desk.decide(second, { outcome: 'approved', decidedBy: 'operator' })
  opened.clock.advance(5_000)
  opened.clock.jump(-30_000)
  opened.clock.advance(VALID_MS - 5_001)
  expect((await opened.desk.find(second))?.state).toBe('approved')
  opened.clock.advance(1)
  expect((await opened.desk.find(second))?.state).toBe('expired')
  opened.clock.advance(PENDING_MS)
  expect(await opened.desk.expireDue()).toBe(1)
  expect((await opened.desk.find(first))?.state).toBe('expired')
})

test('an approval from the future of a clock that was set back is expired after a restart', async () => {
  const opened = openDesk()
  const [id] = await holdMany(opened, 1)
  opened.clock.jump(-50_000)
  expect((await opened.reopen().find(id as string))?.state).toBe('pending')
  opened.clock.jump(-20_000)
  expect((await opened.reopen().find(id as string))?.state).toBe('expired')
})

test('what is closed is kept for the time of retention', async () => {
  const opened = openDesk({ retentionDays: 2 })
  const [id] = await holdMany(opened, 1)
  await opened.desk.decide(id as string, { outcome: 'denied', decidedBy: 'operator' })
  const record = await opened.store.find({ partition: 'approval', sort: id as string })
  expect(record?.expiresAtS).toBe(Date.parse('2027-01-17T08:01:00.000Z') / 1_000)
})
