import { describe, expect, test } from 'vitest'
import type { BaseBackup } from '#lib/recovery/pitr/model.ts'
import { chooseBaseBackup, readTarget } from '#lib/recovery/pitr/target.ts'

describe('a recovery target', () => {
  test.each([
    ['2026-11-21 03:00:00+00', '2026-11-21 03:00:00+00:00'],
    ['2026-11-21T03:00:00Z', '2026-11-21 03:00:00+00:00'],
    ['2026-11-21 03:00:00.123456 UTC', '2026-11-21 03:00:00.123456+00:00'],
    ['2026-11-21 08:30+0530', '2026-11-21 08:30+05:30'],
  ])('in time is read with its zone: %s', (time, text) => expect(readTarget({ time })).toEqual({ kind: 'time', text }))

  test.each([
    [{ time: '2026-11-21 03:00:00' }, 'time zone'],
    [{ time: '2026-13-21 03:00:00Z' }, 'time zone'],
    [{ time: 'yesterday' }, 'time zone'],
    [{ lsn: '16B374D848' }, 'LSN'],
    [{ name: '' }, 'restore point'],
    [{ name: 'x'.repeat(64) }, 'restore point'],
    [{ name: 'two\nlines' }, 'restore point'],
    [{ name: 'x', lsn: '0/1' }, 'exclude each other'],
  ])('is refused: %j', (written, says) => {
    expect(() => readTarget(written)).toThrow(says)
  })

  test('may be left out', () => expect(readTarget({})).toBeUndefined())
})

const backup = (backupId: string, consistentAt: string, stopLsn: string) =>
  ({ backupId, consistentAt, stopLsn }) as unknown as BaseBackup
const NEWEST_FIRST = [backup('b3', '2026-11-03T00:00:00.000Z', '3/0'), backup('b2', '2026-11-02T00:00:00.000Z', '2/0')]

describe('the base backup for a target', () => {
  test.each([
    [{}, 'b3'],
    [{ name: 'x' }, 'b3'],
    [{ time: '2026-11-03T00:00:00Z' }, 'b3'],
    [{ time: '2026-11-02T23:59:59Z' }, 'b2'],
    [{ lsn: '3/0' }, 'b3'],
    [{ lsn: '2/FFFFFFFF' }, 'b2'],
  ])('is the newest before it: %j → %s', (written, backupId) => {
    expect(chooseBaseBackup(NEWEST_FIRST, readTarget(written)).backupId).toBe(backupId)
  })

  test('is none before the oldest, and the message says from when on', () => {
    const target = readTarget({ time: '2026-11-01T00:00:00Z' })
    expect(() => chooseBaseBackup(NEWEST_FIRST, target)).toThrow('b2 is consistent from 2026-11-02T00:00:00.000Z on')
    expect(() => chooseBaseBackup([], undefined)).toThrow(expect.objectContaining({ code: 'BACKUP_MISSING' }))
  })
})
