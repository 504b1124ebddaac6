/** Where a recovery is to end: read, compared with a base backup, and said in PostgreSQL's settings. Pure. */
import { BackstopError } from '#lib/kernel/index.ts'
import { parseLsn } from '../wal/index.ts'
import type { BaseBackup, RecoveryTarget } from './model.ts'

const TIME = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?) ?(Z|UTC|[+-]\d{2}(?::?\d{2})?)$/i
const MAX_NAME_BYTES = 63

function invalid(message: string): never {
  throw new BackstopError('RECOVERY_TARGET_INVALID', message)
}

export interface WrittenTarget {
  readonly time?: string | undefined
  readonly lsn?: string | undefined
  readonly name?: string | undefined
}

/** Undefined when none is given. Throws RECOVERY_TARGET_INVALID. */
export function readTarget({ time, lsn, name }: WrittenTarget): RecoveryTarget | undefined {
  const given = [time, lsn, name].filter((one) => one !== undefined)
  if (given.length > 1) invalid('--target-time, --target-lsn and --target-name exclude each other')
  if (time !== undefined) return { kind: 'time', text: readTime(time).text }
  if (lsn !== undefined) {
    parseLsn(lsn)
    return { kind: 'lsn', text: lsn.toUpperCase() }
  }
  if (name === undefined) return undefined
  const isName = name !== '' && Buffer.byteLength(name) <= MAX_NAME_BYTES && !/\p{Cc}/u.test(name)
  if (!isName) invalid(`the name of a restore point has 1 to ${MAX_NAME_BYTES} bytes`)
  return { kind: 'name', text: name }
}

/** With its zone: the server's own is another one than that of whoever types. */
function readTime(written: string): { readonly text: string; readonly epochMs: number } {
  const [, day = '', clock = '', zone = ''] = TIME.exec(written.trim()) ?? []
  const offset = /^(?:Z|UTC)$/i.test(zone)
    ? '+00:00'
    : zone.replace(/^([+-]\d{2}):?(\d{2})?$/, (_, hours, minutes) => `${hours}:${minutes ?? '00'}`)
  const epochMs = Date.parse(`${day}T${clock}${offset}`)
  if (Number.isNaN(epochMs)) {
    invalid('a target time is written with its time zone: "2026-11-21 03:00:00+00" or 2026-11-21T03:00:00Z')
  }
  return { text: `${day} ${clock}${offset}`, epochMs }
}

/** Undefined when the target can be reached from the backup, as far as that is known before. */
export function findObjection(backup: BaseBackup, target: RecoveryTarget | undefined): string | undefined {
  if (target?.kind === 'time' && readTime(target.text).epochMs < Date.parse(backup.consistentAt)) {
    return `${backup.backupId} is consistent from ${backup.consistentAt} on`
  }
  if (target?.kind === 'lsn' && parseLsn(target.text) < parseLsn(backup.stopLsn)) {
    return `${backup.backupId} is consistent from ${backup.stopLsn} on`
  }
  return undefined
}

/** The newest backup that the target can be reached from. Throws BACKUP_MISSING, RECOVERY_TARGET_INVALID. */
export function chooseBaseBackup(newestFirst: readonly BaseBackup[], target: RecoveryTarget | undefined): BaseBackup {
  const found = newestFirst.find((backup) => findObjection(backup, target) === undefined)
  if (found !== undefined) return found
  const oldest = newestFirst.at(-1)
  if (oldest === undefined) throw new BackstopError('BACKUP_MISSING', 'there is no base backup of this cluster')
  return invalid(`the target lies before every base backup: the oldest, ${findObjection(oldest, target)}`)
}
