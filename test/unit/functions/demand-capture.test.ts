/** Recovery points on demand within a request: what takes longer becomes an order. */
import { expect, test } from 'vitest'
import { captureWithinRequest } from '#functions/gate/query/demand-capture.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import { decodeCaptureOrder, type Recovery } from '#lib/recovery/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { pointOf } from '#test/support/recovery/point.ts'

const ORDERS = { schema: 'public', name: 'orders' }
const LINES = { schema: 'public', name: 'lines' }

/** `fails`: the code that every capture ends with. */
function boundBy(fails?: 'TABLE_TOO_LARGE_FOR_RUN' | 'TABLE_MISSING') {
  const sent: { body: unknown; dedupeKey: string | undefined }[] = []
  const end = <T>(value: T) =>
    fails === undefined ? Promise.resolve(value) : Promise.reject(new BackstopError(fails, 'x'))
  const recovery = {
    capture: () => end(pointOf('1', '2027-01-15T08:00:00.000Z')),
    captureSet: () => end([pointOf('1', '2027-01-15T08:00:00.000Z')]),
  } as unknown as Recovery
  const queue = {
    send: async (_kind: string, body: unknown, options?: { dedupeKey?: string }) => {
      sent.push({ body: JSON.parse(JSON.stringify(body)), dedupeKey: options?.dedupeKey })
      return 'sent'
    },
  } as never
  return { sent, points: captureWithinRequest({ recovery, queue, clock: createFixedClock(), withinMs: 1_000 }) }
}

test('what can be captured in time is not ordered', async () => {
  const { sent, points } = boundBy()
  expect(await points.capture(ORDERS, 'demand')).toMatchObject({ snapshotId: 'snap_1' })
  expect(await points.captureSet([ORDERS, LINES], 'demand')).toHaveLength(1)
  expect(sent).toEqual([])
})

test('a set that takes too long is one order, with its companions, under one key however often it is asked for', async () => {
  const { sent, points } = boundBy('TABLE_TOO_LARGE_FOR_RUN')
  for (let times = 0; times < 2; times += 1) {
    await expect(points.captureSet([ORDERS, LINES], 'demand')).rejects.toMatchObject({ code: 'CAPTURE_QUEUED' })
  }
  await expect(points.capture(ORDERS, 'demand')).rejects.toMatchObject({ code: 'CAPTURE_QUEUED' })
  const [first, second, single] = sent
  expect(decodeCaptureOrder(first?.body)).toMatchObject({ relation: ORDERS, companions: [LINES], origin: 'demand' })
  expect(second?.dedupeKey).toBe(first?.dedupeKey)
  expect(decodeCaptureOrder(single?.body).companions).toBeUndefined()
  expect(single?.dedupeKey).not.toBe(first?.dedupeKey)
})

test('any other failure is told as it is', async () => {
  const { sent, points } = boundBy('TABLE_MISSING')
  await expect(points.captureSet([ORDERS, LINES], 'demand')).rejects.toMatchObject({ code: 'TABLE_MISSING' })
  expect(sent).toEqual([])
})
