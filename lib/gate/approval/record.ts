/** An approval as one record, and back. */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { ApprovalId, JsonObject } from '#lib/kernel/index.ts'
import { epochMsOf } from '#lib/kernel/index.ts'
import type { RecordInput, RecordKey, StoredRecord } from '#lib/ports/index.ts'
import { isOpen } from './machine.ts'
import type { Approval, ApprovalRequest, ApprovalState } from './model.ts'

/** All approvals; their ids begin with the time, so that the order of keys is the order of creation. */
export const APPROVAL_PARTITION = 'approval'
/** index2: what is open, by the instant at which it expires. */
export const DUE_PARTITION = 'approval-due'

/** A request whose JSON is longer is deflated: escapes can make a statement six times as long as it is. */
const PACK_ABOVE_BYTES = 65_536
const DAY_S = 86_400

export function approvalKey(id: string): RecordKey {
  return { partition: APPROVAL_PARTITION, sort: id }
}

/** index1: one state, in the order of creation. */
export function statePartition(state: ApprovalState): string {
  return `approval-state/${state}`
}

/**
 * Encode an approval.
 *
 * Invariants: decode(encode(a)) = a but for `version`, which is the record's; a statement of MAX_STATEMENT_BYTES fits
 * Effects:    pure
 */
export function encodeApproval(approval: Approval, retentionDays: number): RecordInput {
  const {
    id,
    state,
    createdAt,
    expiresAt,
    decision,
    consumedAt,
    auditId,
    claimedRecoveryPoints,
    version: _,
    ...request
  } = approval
  const progress = { state, createdAt, expiresAt, decision, consumedAt, auditId, claimedRecoveryPoints }
  const index1 = { partition: statePartition(state), sort: `${createdAt}/${id}` }
  const record = { key: approvalKey(id), body: { ...encodeRequest(request), ...progress } as unknown as JsonObject }
  if (isOpen(state))
    return { ...record, indexes: { index1, index2: { partition: DUE_PARTITION, sort: `${expiresAt}/${id}` } } }
  const endMs = Math.max(epochMsOf(consumedAt ?? decision?.decidedAt ?? expiresAt), epochMsOf(expiresAt))
  return { ...record, indexes: { index1 }, expiresAtS: Math.ceil(endMs / 1_000) + retentionDays * DAY_S }
}

export function decodeApproval(record: StoredRecord): Approval {
  const { request, packed, ...progress } = record.body
  const fields = typeof packed === 'string' ? unpack(packed) : (request as unknown as ApprovalRequest)
  return {
    ...fields,
    ...(progress as unknown as Omit<Approval, 'id' | 'version' | keyof ApprovalRequest>),
    id: record.key.sort as ApprovalId,
    version: record.version,
  }
}

function encodeRequest(request: ApprovalRequest): JsonObject {
  const text = JSON.stringify(request)
  if (Buffer.byteLength(text) <= PACK_ABOVE_BYTES) return { request: JSON.parse(text) as JsonObject }
  return { packed: deflateRawSync(text).toString('base64') }
}

function unpack(packed: string): ApprovalRequest {
  return JSON.parse(inflateRawSync(Buffer.from(packed, 'base64')).toString()) as ApprovalRequest
}
