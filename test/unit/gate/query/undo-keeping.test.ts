import { describe, expect, it } from 'vitest'
import type { Changes } from '#lib/gate/index.ts'
import type { GateParts } from '#lib/gate/query/parts.ts'
import type { Judged } from '#lib/gate/query/submission.ts'
import { undoKeeping } from '#lib/gate/query/undo-keeping.ts'
import type { DatabaseSession, UndoKept } from '#lib/ports/index.ts'

const SESSION = {} as DatabaseSession
const AUDIT_ID = `aud_${'1'.repeat(32)}` as const
const KEPT: UndoKept = { available: true, rowCount: 2, objectKey: 'undo/x', sha256: 'f' }
const CHANGED: Changes = {
  tables: [{ relation: { schema: 'public', name: 't' }, insertedRows: 0, updatedRows: 2, deletedRows: 0 }],
  catalogs: [],
}

interface Given {
  readonly writes?: 'approved' | 'all'
  readonly isAsked?: boolean
  readonly isApproved?: boolean
  readonly isForeign?: boolean
}

function keepingOf({ writes, isAsked = false, isApproved = false, isForeign = false }: Given, kept: UndoKept = KEPT) {
  const calls: unknown[] = []
  const mark = { transactionId: '1', multixactId: 1, isolation: 'read committed' }
  const undo = {
    writes,
    mark: async () => mark,
    keep: async (_: DatabaseSession, keeping: unknown) => {
      calls.push(keeping)
      return kept
    },
  }
  const judged = {
    active: { policy: { require_undo_for_writes: isAsked } },
    statement: {},
    assessment: { targets: [{ access: 'update', relationKind: isForeign ? 'f' : 'r' }], impact: { method: 'unknown' } },
  }
  const parts = (writes === undefined ? {} : { undo }) as unknown as GateParts
  const approval = (isApproved ? {} : undefined) as Parameters<typeof undoKeeping>[2]
  return { calls, keeping: undoKeeping(parts, judged as unknown as Judged, approval, AUDIT_ID) }
}

async function endOf(given: Given, changes: Changes = CHANGED, kept?: UndoKept) {
  const { calls, keeping } = keepingOf(given, kept)
  await keeping?.begin(SESSION)
  return { calls, stop: await keeping?.end(SESSION, changes), kept: keeping?.kept() }
}

describe('which writes keep their pre-image', () => {
  it('those that the settings name, and all where policy asks', () => {
    expect(keepingOf({}).keeping).toBeUndefined()
    expect(keepingOf({ writes: 'approved' }).keeping).toBeUndefined()
    expect(keepingOf({ writes: 'approved', isApproved: true }).keeping).toBeDefined()
    expect(keepingOf({ writes: 'approved', isAsked: true }).keeping).toBeDefined()
    expect(keepingOf({ writes: 'all' }).keeping).toBeDefined()
  })

  it('hands over what was changed, by whom it was allowed, and under which audit id', async () => {
    const { calls, stop, kept } = await endOf({ writes: 'all', isApproved: true })
    expect(calls).toMatchObject([{ auditId: AUDIT_ID, tables: CHANGED.tables, isApproved: true }])
    expect([stop, kept]).toEqual([undefined, KEPT])
  })

  it('keeps nothing of a write that changed no row', async () => {
    expect(await endOf({ writes: 'all', isAsked: true }, { tables: [], catalogs: ['pg_class'] })).toEqual({
      calls: [],
      stop: undefined,
      kept: undefined,
    })
  })
})

describe('what cannot be kept', () => {
  it('is more than rows, and rows of another server', async () => {
    const ddl = await endOf({ writes: 'all' }, { ...CHANGED, catalogs: ['pg_class', 'pg_attribute'] })
    expect(ddl).toMatchObject({ calls: [], stop: undefined, kept: { available: false } })
    expect(ddl.kept).toMatchObject({ reason: expect.stringContaining('pg_attribute, pg_class') })
    const foreign = await endOf({ writes: 'all', isForeign: true })
    expect(foreign).toMatchObject({ calls: [], kept: { reason: 'It cannot be undone: it writes to a foreign table.' } })
  })

  it('is rolled back where policy asks, also where the settings keep nothing', async () => {
    const unkept: UndoKept = { available: false, reason: 'Too many rows.' }
    expect((await endOf({ writes: 'all' }, CHANGED, unkept)).stop).toBeUndefined()
    expect((await endOf({ writes: 'all', isAsked: true }, CHANGED, unkept)).stop).toContain('Too many rows.')
    expect((await endOf({ isAsked: true })).stop).toContain('no pre-images are kept here')
  })
})
