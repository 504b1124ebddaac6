/** Table names as policy files write them, and which relations they mean. */
import type { RelationName } from '#lib/kernel/index.ts'
import type { Policy } from './model.ts'

/** `schema` absent: in every schema. */
export interface TableEntry {
  readonly schema?: string
  readonly name: string
}

const PART = /\s*(?:"((?:[^"]|"")+)"|([^".\s][^".]*))/y

/** Read `name`, `schema.name` or `"quo.ted".name`; undefined when it is neither. */
export function parseTableEntry(text: string): TableEntry | undefined {
  const trimmed = text.trim()
  const parts: string[] = []
  let offset = 0
  while (parts.length < 3) {
    PART.lastIndex = offset
    const match = PART.exec(trimmed)
    if (match === null) return undefined
    parts.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string).trim())
    offset = PART.lastIndex
    if (offset === trimmed.length) break
    if (trimmed[offset] !== '.') return undefined
    offset += 1
  }
  const [first, second, third] = parts
  if (first === undefined || third !== undefined) return undefined
  return second === undefined ? { name: first } : { schema: first, name: second }
}

/** Entries are few and asked about for every statement. */
const knownEntries = new Map<string, TableEntry | undefined>()

function entryOf(text: string): TableEntry | undefined {
  if (!knownEntries.has(text)) knownEntries.set(text, parseTableEntry(text))
  return knownEntries.get(text)
}

/** True when the entry means the relation. Letter case never matters: protecting too much is the smaller fault. */
export function matchesTable(entry: string, relation: RelationName): boolean {
  const table = entryOf(entry)
  if (table === undefined) return false
  if (table.schema !== undefined && !isSameName(table.schema, relation.schema)) return false
  return isSameName(table.name, relation.name)
}

export function isProtectedTable(policy: Policy, relation: RelationName): boolean {
  return policy.protected_tables.some((entry) => matchesTable(entry, relation))
}

/** True when the policy protects the column; `*` asks for any column of the relation. */
export function isProtectedColumn(policy: Policy, relation: RelationName, column: string): boolean {
  const columns = protectedColumnsOf(policy, relation)
  if (column === '*') return columns.length > 0
  return columns.some((name) => name === '*' || isSameName(name, column))
}

/** The columns that the policy protects in the relation, from every entry that means it; `*` stands for all. */
export function protectedColumnsOf(policy: Policy, relation: RelationName): readonly string[] {
  const columns = Object.entries(policy.protected_columns)
    .filter(([entry]) => matchesTable(entry, relation))
    .flatMap(([, names]) => names)
  return [...new Set(columns)].sort()
}

/** The other tables of each recovery group that the relation belongs to. */
export function groupsOf(policy: Policy, relation: RelationName): readonly (readonly RelationName[])[] {
  return Object.values(policy.recovery_groups)
    .filter((entries) => entries.some((entry) => matchesTable(entry, relation)))
    .map((entries) => entries.filter((entry) => !matchesTable(entry, relation)))
    .map((entries) =>
      entries.flatMap((entry) => {
        const table = parseTableEntry(entry)
        return table === undefined ? [] : [{ schema: table.schema ?? relation.schema, name: table.name }]
      }),
    )
}

export interface RecoveryGroup {
  readonly name: string
  /** Without a schema: in each schema that has one of these tables. */
  readonly tables: readonly TableEntry[]
}

/** The recovery groups of the policy, their entries read. */
export function recoveryGroups(policy: Policy): readonly RecoveryGroup[] {
  return Object.entries(policy.recovery_groups).map(([name, entries]) => ({
    name,
    tables: entries.flatMap((entry) => parseTableEntry(entry) ?? []),
  }))
}

function isSameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase()
}
