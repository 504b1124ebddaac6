/**
 * The file that tells a starting server where its tablespaces lie. Pure.
 *
 * Shapes: lines `<oid> <path>`; a line break or a backslash of a path follows a backslash
 * Throws: BACKUP_TABLESPACES, BACKUP_CORRUPT
 * Source: PostgreSQL, src/backend/access/transam/xlogrecovery.c, read_tablespace_map
 */
import { BackstopError } from '#lib/kernel/index.ts'

export interface TablespaceLink {
  readonly oid: string
  readonly location: string
}

const LINE = /^(\d+) (.+)$/s

/** None without the file. */
export function readTablespaceMap(bytes: Uint8Array | undefined): TablespaceLink[] {
  const text = Buffer.from(bytes ?? []).toString()
  const lines = text.match(/(?:\\[\s\S]|[^\\\r\n])+/g) ?? []
  return lines.map((line) => {
    const [, oid, location] = LINE.exec(line.replaceAll(/\\([\s\S])/g, '$1')) ?? []
    if (oid === undefined || location === undefined) {
      throw new BackstopError('BACKUP_CORRUPT', 'the base backup is not whole: its tablespace_map is malformed')
    }
    if (location.startsWith('/')) return { oid, location }
    throw new BackstopError('BACKUP_TABLESPACES', `the tablespace ${oid} lies inside of the data folder`)
  })
}

export function writeTablespaceMap(links: readonly TablespaceLink[]): string {
  return links.map(({ oid, location }) => `${oid} ${location.replaceAll(/[\\\r\n]/g, '\\$&')}\n`).join('')
}
