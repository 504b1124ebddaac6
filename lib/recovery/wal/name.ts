/** Names of files in PostgreSQL's archive of WAL, and the numbers in them. Pure. */
import { BackstopError } from '#lib/kernel/index.ts'

export type WalFile =
  | {
      readonly kind: 'segment' | 'partial'
      readonly name: string
      readonly timeline: number
      readonly log: number
      readonly index: number
    }
  /** Where a base backup started and ended. */
  | { readonly kind: 'backup'; readonly name: string; readonly timeline: number }
  | { readonly kind: 'history'; readonly name: string; readonly timeline: number }

const SEGMENT = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.partial)?$/
const BACKUP = /^([0-9A-F]{8})[0-9A-F]{16}\.[0-9A-F]{8}\.backup$/
const HISTORY = /^([0-9A-F]{8})\.history$/
const LOG_BYTES = 0x1_0000_0000

export function findWalFile(name: string): WalFile | undefined {
  const segment = SEGMENT.exec(name)
  if (segment) {
    const [timeline, log, index] = segment.slice(1, 4).map((digits) => Number.parseInt(digits, 16)) as [
      number,
      number,
      number,
    ]
    return { kind: segment[4] === undefined ? 'segment' : 'partial', name, timeline, log, index }
  }
  const backup = BACKUP.exec(name)
  if (backup) return { kind: 'backup', name, timeline: Number.parseInt(backup[1] ?? '', 16) }
  const history = HISTORY.exec(name)
  return history ? { kind: 'history', name, timeline: Number.parseInt(history[1] ?? '', 16) } : undefined
}

/** The segment that a path in a data folder is: `pg_wal/000000010000000000000001`. */
export function walFileOf(path: string): Extract<WalFile, { kind: 'segment' | 'partial' }> | undefined {
  const file = path.startsWith('pg_wal/') ? findWalFile(path.slice('pg_wal/'.length)) : undefined
  return file?.kind === 'segment' ? file : undefined
}

/** Throws WAL_INVALID. */
export function parseWalName(name: string): WalFile {
  const file = findWalFile(name)
  if (file !== undefined) return file
  throw new BackstopError('WAL_INVALID', 'the name is not that of a WAL segment, a .partial, .backup or .history file')
}

export const hex8 = (number: number) => number.toString(16).toUpperCase().padStart(8, '0')

/** Position of a segment in the endless row of segments. */
export function segmentNumber(file: { readonly log: number; readonly index: number }, segmentBytes: number): number {
  return file.log * (LOG_BYTES / segmentBytes) + file.index
}

export function segmentName(timeline: number, number: number, segmentBytes: number): string {
  const perLog = LOG_BYTES / segmentBytes
  return `${hex8(timeline)}${hex8(Math.floor(number / perLog))}${hex8(number % perLog)}`
}

/** `16/B374D848` → bytes. Throws RECOVERY_TARGET_INVALID. */
export function parseLsn(text: string): bigint {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  if (match) return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
  throw new BackstopError('RECOVERY_TARGET_INVALID', 'an LSN is written as two hexadecimal numbers: 16/B374D848')
}

export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`
}

export function segmentOfLsn(lsn: bigint, segmentBytes: number): number {
  return Number(lsn / BigInt(segmentBytes))
}
