/** The open approvals of one principal in one record: what makes a binding unique and a limit exact. */
import type { JsonObject } from '#lib/kernel/index.ts'
import { sha256Hex } from '#lib/kernel/index.ts'
import type { RecordKey, RecordStore, RecordWrite } from '#lib/ports/index.ts'
import { bindingDigest } from './binding.ts'
import type { Approval } from './model.ts'

/** What is open under one binding. */
export interface OpenEntry {
  readonly pending?: string
  readonly approved?: string
}

export interface OpenBook {
  readonly key: RecordKey
  /** By digest of the binding. */
  readonly entries: Readonly<Record<string, OpenEntry>>
  /** 0: not written yet. The record is never deleted, so that a version never comes twice. */
  readonly version: number
}

export async function readBook(store: RecordStore, principal: string): Promise<OpenBook> {
  const key = { partition: 'approval-open', sort: sha256Hex(principal) }
  const record = await store.find(key)
  if (record === undefined) return { key, entries: {}, version: 0 }
  return { key, entries: record.body as Record<string, OpenEntry>, version: record.version }
}

export function pendingIds(book: OpenBook): readonly string[] {
  return Object.values(book.entries).flatMap((entry) => entry.pending ?? [])
}

/** The book after the approval took on its state. */
export function updateBook(book: OpenBook, approval: Approval): OpenBook {
  const digest = bindingDigest(approval.binding)
  const { [digest]: entry = {}, ...others } = book.entries
  const next = updateEntry(entry, approval)
  const isEmpty = next.pending === undefined && next.approved === undefined
  return { ...book, entries: isEmpty ? others : { ...others, [digest]: next } }
}

export function writeOfBook(book: OpenBook): RecordWrite {
  const record = { key: book.key, body: book.entries as unknown as JsonObject }
  if (book.version === 0) return { kind: 'create', record }
  return { kind: 'replace', record, expectedVersion: book.version }
}

function updateEntry(entry: OpenEntry, { id, state }: Approval): OpenEntry {
  const pending = entry.pending === id ? undefined : entry.pending
  const approved = entry.approved === id ? undefined : entry.approved
  return {
    ...(state === 'pending' ? { pending: id } : pending === undefined ? {} : { pending }),
    ...(state === 'approved' ? { approved: id } : approved === undefined ? {} : { approved }),
  }
}
