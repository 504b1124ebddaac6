/** Approvals in the record store: read with what is overdue moved on, and moved from state to state in one transaction. */
import { BackstopError, isBackstopError, retryConflicts } from '#lib/kernel/index.ts'
import type { RecordWrite, StoredRecord } from '#lib/ports/index.ts'
import type { Bell } from './bell.ts'
import { createBell } from './bell.ts'
import type { Deadlines } from './deadline.ts'
import { createDeadlines } from './deadline.ts'
import { expireApproval, isOverdue } from './machine.ts'
import type { Approval } from './model.ts'
import type { OpenBook } from './open-book.ts'
import { readBook, updateBook, writeOfBook } from './open-book.ts'
import type { ApprovalDeskOptions, ApprovalLimits } from './options.ts'
import { resolveLimits } from './options.ts'
import { approvalKey, decodeApproval, encodeApproval } from './record.ts'

/** What the steps of the desk share. */
export interface Shelf {
  readonly options: ApprovalDeskOptions
  readonly limits: ApprovalLimits
  readonly deadlines: Deadlines
  readonly bell: Bell
}

export function openShelf(options: ApprovalDeskOptions): Shelf {
  return {
    options,
    limits: resolveLimits(options),
    deadlines: createDeadlines(options.clock),
    bell: createBell(),
  }
}

/** As it is now: what is overdue is moved to `expired` first. */
export async function findApproval(shelf: Shelf, id: string): Promise<Approval | undefined> {
  if (!/^appr_[0-9a-f]{32}$/.test(id)) return undefined
  return retryConflicts(async () => {
    const record = await shelf.options.store.find(approvalKey(id))
    if (record !== undefined) return refresh(shelf, record)
    shelf.deadlines.forget(id)
    return undefined
  })
}

/** Throws APPROVAL_MISSING. */
export async function getApproval(shelf: Shelf, id: string): Promise<Approval> {
  const approval = await findApproval(shelf, id)
  if (approval !== undefined) return approval
  throw new BackstopError('APPROVAL_MISSING', 'there is no approval with this id')
}

/** The approval of a record, moved to `expired` when it is overdue. Throws RECORD_CHANGED when another one moved it meanwhile. */
export async function refresh(shelf: Shelf, record: StoredRecord): Promise<Approval> {
  const approval = decodeApproval(record)
  shelf.deadlines.note(approval)
  const isLate = isOverdue(approval, shelf.options.clock.nowMs()) || shelf.deadlines.isOver(approval)
  return isLate ? moveTo(shelf, expireApproval(approval)) : approval
}

/** Like `refresh`, for a record of a listing, which may be out of date; undefined when it is gone. */
export async function refreshListed(shelf: Shelf, record: StoredRecord): Promise<Approval | undefined> {
  try {
    return await refresh(shelf, record)
  } catch (error) {
    if (!isBackstopError(error, 'RECORD_CHANGED')) throw error
    return findApproval(shelf, record.key.sort)
  }
}

/**
 * Write the next state, with the principal's book in the same transaction.
 *
 * Shapes:  `next` carries the version of the state before it
 * Throws:  RECORD_CHANGED when the approval or the book is not as it was read
 */
export async function moveTo(shelf: Shelf, next: Approval): Promise<Approval> {
  const book = await readBook(shelf.options.store, next.binding.principal)
  const record = encodeApproval(next, shelf.limits.retentionDays)
  await commit(shelf, [{ kind: 'replace', record, expectedVersion: next.version }], updateBook(book, next))
  return announce(shelf, { ...next, version: next.version + 1 })
}

/** Write a new approval. Throws RECORD_CHANGED or RECORD_EXISTS when the book is not as it was read. */
export async function addTo(shelf: Shelf, approval: Approval, book: OpenBook): Promise<Approval> {
  const record = encodeApproval(approval, shelf.limits.retentionDays)
  await commit(shelf, [{ kind: 'create', record }], updateBook(book, approval))
  return announce(shelf, { ...approval, version: 1 })
}

async function commit(shelf: Shelf, writes: readonly RecordWrite[], book: OpenBook): Promise<void> {
  await shelf.options.store.transact([...writes, writeOfBook(book)])
}

function announce(shelf: Shelf, approval: Approval): Approval {
  shelf.deadlines.note(approval)
  shelf.bell.ring(approval.id)
  return approval
}
