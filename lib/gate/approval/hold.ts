/** Holding a statement: one pending approval per binding, and not too many per principal. */
import { BackstopError, instantFrom, retryConflicts } from '#lib/kernel/index.ts'
import { bindingDigest } from './binding.ts'
import type { Approval, ApprovalBinding, ApprovalRequest } from './model.ts'
import type { OpenBook } from './open-book.ts'
import { pendingIds, readBook } from './open-book.ts'
import type { Shelf } from './shelf.ts'
import { addTo, findApproval } from './shelf.ts'
import { newApprovalId } from './ticket-id.ts'

export async function holdRequest(shelf: Shelf, request: ApprovalRequest): Promise<Approval> {
  return retryConflicts(async () => {
    const existing = await findOpen(shelf, request.binding, 'pending')
    if (existing !== undefined) return existing
    const book = await bookWithRoom(shelf, request.binding.principal)
    return addTo(shelf, newApproval(shelf, request), book)
  })
}

/** The open approval of the binding in this state. */
export async function findOpen(
  shelf: Shelf,
  binding: ApprovalBinding,
  state: 'pending' | 'approved',
): Promise<Approval | undefined> {
  const book = await readBook(shelf.options.store, binding.principal)
  const id = book.entries[bindingDigest(binding)]?.[state]
  const approval = id === undefined ? undefined : await findApproval(shelf, id)
  return approval?.state === state ? approval : undefined
}

function newApproval(shelf: Shelf, request: ApprovalRequest): Approval {
  const { clock, random } = shelf.options
  const nowMs = clock.nowMs()
  return {
    ...request,
    id: newApprovalId(clock, random),
    state: 'pending',
    createdAt: instantFrom(nowMs),
    expiresAt: instantFrom(nowMs + shelf.limits.pendingMs),
    version: 0,
  }
}

/** The principal's book, with what is overdue struck out if it looks full. Throws RATE_LIMITED. */
async function bookWithRoom(shelf: Shelf, principal: string): Promise<OpenBook> {
  const { store } = shelf.options
  const limit = shelf.limits.maxPendingPerPrincipal
  const book = await readBook(store, principal)
  if (pendingIds(book).length < limit) return book
  for (const id of pendingIds(book)) await findApproval(shelf, id)
  const current = await readBook(store, principal)
  const pendingCount = pendingIds(current).length
  if (pendingCount < limit) return current
  throw new BackstopError('RATE_LIMITED', `${pendingCount} statements of this principal wait for a decision already`, {
    details: { pending: pendingCount, limit },
  })
}
