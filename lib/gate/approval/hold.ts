/** Holding a statement: one pending approval per binding, and not too many per principal. */
import { BackstopError, instantFrom, retryConflicts } from '#lib/kernel/index.ts'
import { bindingDigest } from './binding.ts'
import type { Approval, ApprovalBinding, ApprovalRequest } from './model.ts'
import type { OpenBook } from './open-book.ts'
import { pendingIds, readBook } from './open-book.ts'
import type { Shelf } from './shelf.ts'
import { addTo, findApproval } from './shelf.ts'
import { newApprovalId } from './ticket-id.ts'

/** Everything is judged on one reading of the book, and written only if the book is still the same. */
export async function holdRequest(shelf: Shelf, request: ApprovalRequest): Promise<Approval> {
  return retryConflicts(async () => {
    const book = await readBook(shelf.options.store, request.binding.principal)
    const existing = await findInBook(shelf, book, request.binding, 'pending')
    if (existing !== undefined) return existing
    await assertRoom(shelf, book, request.binding.principal)
    return addTo(shelf, newApproval(shelf, request), book)
  })
}

/** The open approval of the binding in this state. */
export async function findOpen(
  shelf: Shelf,
  binding: ApprovalBinding,
  state: 'pending' | 'approved',
): Promise<Approval | undefined> {
  return findInBook(shelf, await readBook(shelf.options.store, binding.principal), binding, state)
}

async function findInBook(
  shelf: Shelf,
  book: OpenBook,
  binding: ApprovalBinding,
  state: 'pending' | 'approved',
): Promise<Approval | undefined> {
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

/** Strikes out what is overdue when the book is full. Throws RATE_LIMITED; RECORD_CHANGED when there is another book to judge. */
async function assertRoom(shelf: Shelf, book: OpenBook, principal: string): Promise<void> {
  const limit = shelf.limits.maxPendingPerPrincipal
  const pending = pendingIds(book)
  if (pending.length < limit) return
  for (const id of pending) await findApproval(shelf, id)
  const { version } = await readBook(shelf.options.store, principal)
  if (version !== book.version) throw new BackstopError('RECORD_CHANGED', 'the open approvals have changed')
  throw new BackstopError(
    'RATE_LIMITED',
    `${pending.length} statements of this principal wait for a decision already`,
    {
      details: { pending: pending.length, limit },
    },
  )
}
