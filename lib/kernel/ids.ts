/** Branded ids with a readable prefix: `appr_` and 32 hexadecimal digits. */
export type ApprovalId = `appr_${string}`
export type SnapshotId = `snap_${string}`
export type SetId = `set_${string}`
export type AuditId = `aud_${string}`
export type AlertId = `alrt_${string}`
export type RequestId = `req_${string}`

export const ID_BYTES = 16

/** Make an id of 128 random bits; `bytes` are ID_BYTES long. */
export function newId<P extends string>(prefix: P, bytes: Uint8Array): `${P}_${string}` {
  if (bytes.length !== ID_BYTES) throw new RangeError(`an id takes ${ID_BYTES} bytes`)
  return `${prefix}_${Buffer.from(bytes).toString('hex')}`
}
