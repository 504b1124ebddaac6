import { describe, expect, test } from 'vitest'
import type { CommandContext } from '#lib/cli/frame/index.ts'
import { choosePoint, oneTable, pointById, validPoints } from '#lib/cli/recover/choose.ts'
import type { Choice } from '#lib/cli/terminal/index.ts'
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'

function point(id: string, change: Partial<RecoveryPoint> = {}): RecoveryPoint {
  return {
    snapshotId: `snap_${id}` as SnapshotId,
    relation: { schema: 'public', name: 'users' },
    relationOid: 1,
    status: 'valid',
    origin: 'schedule',
    capturedAt: '2026-01-01T00:00:00.000Z' as Instant,
    rowCount: 10,
    sizeBytes: 2_048,
    manifestKey: `snapshots/${id}/manifest.json`,
    manifestSha256: 'a'.repeat(64),
    ...change,
  }
}

const NOW_MS = Date.UTC(2026, 0, 1, 0, 5)
const NOBODY = {} as CommandContext

/** A person who takes what `pick` says; keeps what was offered. */
function person(pick: (choices: readonly Choice[]) => string) {
  const offered: Choice[] = []
  const ask = {
    choose: async (_: string, choices: readonly Choice[]) => {
      offered.push(...choices)
      return pick(choices)
    },
    confirm: async () => true,
  }
  return { offered, context: { ask } as unknown as CommandContext }
}

describe('choosing a recovery point', () => {
  test('offers the ten newest and takes the one that is picked', async () => {
    const points = Array.from({ length: 12 }, (_, index) => point(String(index)))
    const { offered, context } = person((choices) => choices[3]?.value ?? '')
    expect((await choosePoint(points, context, NOW_MS)).snapshotId).toBe('snap_3')
    expect(offered).toHaveLength(10)
    expect(offered[0]).toEqual({
      value: 'snap_0',
      label: '2026-01-01T00:00:00.000Z  5 min old, 10 rows',
      hint: 'snap_0, schedule, 2.0 KiB',
    })
  })

  test('takes the newest where nobody can be asked, and asks nothing where there is one', async () => {
    expect((await choosePoint([point('a'), point('b')], NOBODY, NOW_MS)).snapshotId).toBe('snap_a')
    const { offered, context } = person(() => 'none')
    expect((await choosePoint([point('a')], context, NOW_MS)).snapshotId).toBe('snap_a')
    expect(offered).toEqual([])
  })

  test('never offers one that is quarantined or invalid', () => {
    const points = [point('a', { status: 'quarantined' }), point('b', { status: 'invalid' }), point('c')]
    expect(validPoints({ points, problems: [] }, 'users').map(({ snapshotId }) => snapshotId)).toEqual(['snap_c'])
    expect(() => validPoints({ points: points.slice(0, 2), problems: [] }, 'users')).toThrow(
      'no valid snapshots of users: none of the 2',
    )
    expect(() => validPoints({ points: [], problems: [] }, 'users')).toThrow('there is none at all')
  })

  test('says why a named one cannot be used', () => {
    const points = [point('a', { status: 'quarantined', validationError: 'a part is missing' })]
    const problems = [
      {
        key: 'snapshots/public.users/snap_b/manifest.json',
        code: 'SNAPSHOT_CORRUPT',
        reason: 'manifest checksum mismatch',
      },
    ]
    expect(() => pointById({ points, problems }, 'snap_a', 'users')).toThrow(
      'snapshot snap_a is quarantined: a part is missing',
    )
    expect(() => pointById({ points, problems }, 'snap_b', 'users')).toThrow('manifest checksum mismatch')
    expect(() => pointById({ points, problems }, 'snap_c', 'users')).toThrow('there is no snapshot snap_c of users')
  })

  test('a name that is in two schemas is no answer', () => {
    const other = point('b', { relation: { schema: 'old', name: 'users' } })
    expect(() => oneTable([point('a'), other])).toThrow('give --table public.users or old.users')
    expect(oneTable([point('a')])).toEqual({ schema: 'public', name: 'users' })
  })
})
