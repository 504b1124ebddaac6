/** Where the tablespaces of a base backup go. Pure. */
import { isAbsolute, relative, resolve } from 'node:path'
import { BackstopError } from '#lib/kernel/index.ts'
import type { BackedUpTablespace, TablespaceMapping } from './model.ts'

export interface TablespacePlace {
  readonly tablespace: BackedUpTablespace
  /** Absolute. */
  readonly folder: string
}

function invalid(reason: string): never {
  throw new BackstopError('TABLESPACE_MAPPING_INVALID', reason)
}

/** `OLD=NEW`; a "=" that belongs to a path follows a backslash. Throws TABLESPACE_MAPPING_INVALID. */
export function readTablespaceMapping(written: string): TablespaceMapping {
  const [from = '', to = '', ...more] = (written.match(/(?:\\=|[^=])+|=(?==|$)/g) ?? []).map((part) =>
    part.replaceAll('\\=', '='),
  )
  if (from === '' || to === '' || more.length > 0) invalid(`"${written}" is not OLD=NEW`)
  if (!isAbsolute(to)) invalid(`${to} is not an absolute path`)
  return { from, to }
}

/**
 * One folder each, apart from each other and from the data folder. A location of the server that was backed up is taken only
 * when a mapping names it. Throws TABLESPACE_MAPPING_INVALID.
 */
export function placeTablespaces(
  tablespaces: readonly BackedUpTablespace[],
  dataFolder: string,
  mappings: readonly TablespaceMapping[],
): readonly TablespacePlace[] {
  const given = new Map<string, string>()
  for (const { from, to } of mappings) {
    const location = resolve(from)
    if (given.has(location)) invalid(`${from} is mapped twice`)
    if (!tablespaces.some((one) => resolve(one.location) === location)) {
      const known = tablespaces.map((one) => one.location).join(', ')
      invalid(`${from} is not the location of a tablespace of the base backup, which has ${known || 'none'}`)
    }
    given.set(location, resolve(to))
  }
  const places = tablespaces.map((tablespace) => {
    const mapped = given.get(resolve(tablespace.location))
    return { tablespace, folder: mapped ?? chooseFolder(tablespace, dataFolder, tablespaces) }
  })
  assertApart([resolve(dataFolder), ...places.map(({ folder }) => folder)])
  return places
}

function chooseFolder(
  { oid }: BackedUpTablespace,
  dataFolder: string,
  tablespaces: readonly BackedUpTablespace[],
): string {
  const folder = `${resolve(dataFolder)}.tablespaces/${oid}`
  const original = tablespaces.find(({ location }) => overlaps(resolve(location), folder))
  if (original === undefined) return folder
  return invalid(`${folder} is where the server that was backed up has ${original.location}: map it where it may go`)
}

function assertApart(folders: readonly string[]): void {
  for (const [index, folder] of folders.entries()) {
    const other = folders.slice(index + 1).find((one) => overlaps(one, folder))
    if (other !== undefined) invalid(`${folder} and ${other} lie in each other`)
  }
}

function overlaps(left: string, right: string): boolean {
  return isWithin(left, right) || isWithin(right, left)
}

function isWithin(inner: string, outer: string): boolean {
  const way = relative(outer, inner)
  return way === '' || !(way === '..' || way.startsWith('../'))
}
