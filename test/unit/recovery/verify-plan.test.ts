import { expect, test } from 'vitest'
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { decideCheck } from '#lib/recovery/verify/index.ts'

const POINT: RecoveryPoint = {
  snapshotId: 'snap_1' as SnapshotId,
  relation: { schema: 'public', name: 'users' },
  relationOid: 10,
  status: 'valid',
  origin: 'manual',
  capturedAt: '2027-01-15T08:00:00.000Z' as Instant,
  rowCount: 1,
  sizeBytes: 100,
  manifestKey: 'k',
  manifestSha256: 'd',
}
const NOTHING = { points: 0, bytes: 0 }
const REQUEST = { budgetBytes: 150, maxPoints: 2 }

test('a valid point that fits is read', () => {
  expect(decideCheck(POINT, NOTHING, REQUEST)).toEqual({ action: 'read' })
  expect(decideCheck(POINT, { points: 1, bytes: 50 }, REQUEST)).toEqual({ action: 'read' })
})

test('the run stops before it exceeds its bytes or its points', () => {
  expect(decideCheck(POINT, { points: 1, bytes: 51 }, REQUEST).action).toBe('stop')
  expect(decideCheck(POINT, { points: 2, bytes: 0 }, REQUEST).action).toBe('stop')
})

test('a point larger than any run goes to the end of the line, one that is not valid is forgotten', () => {
  expect(decideCheck({ ...POINT, sizeBytes: 151 }, NOTHING, REQUEST).action).toBe('pass')
  expect(decideCheck({ ...POINT, status: 'quarantined' }, NOTHING, REQUEST).action).toBe('forget')
  expect(decideCheck(undefined, NOTHING, REQUEST).action).toBe('forget')
})
