/** What the catalog says of the names in a statement: the rows of the look-ups. */

export interface RelationRow {
  /** Index of the written name that led here; -1 when another relation did. */
  readonly written: number
  /** 0: the name resolves to nothing. */
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  readonly hasRowSecurity: boolean
  readonly hasChildren: boolean
  readonly estimatedRows: number
  /** True when the relation itself or a partition or child of it lives on a foreign server. */
  readonly reachesForeign: boolean
}

export interface FunctionRow {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly identity: string
  readonly kind: string
  readonly volatility: 'i' | 's' | 'v'
  readonly isSecurityDefiner: boolean
  readonly language: string
  readonly isTrustedLanguage: boolean
  /** The server's own function behind one in the language `internal`. */
  readonly internalName: string | null
  readonly isOfExtension: boolean
  readonly bodySha256: string
}

/** A definition whose text has to be read like a statement. */
export interface DefinitionRow {
  readonly source: 'view' | 'policy' | 'function' | 'domain' | 'aggregate' | 'expression' | 'rule'
  readonly oid: number
  readonly text: string
}

export interface CastRow {
  readonly functionOid: number
  /** Source and target. */
  readonly typeNames: readonly string[]
  /** e: only when it is written; a: also in assignments; i: anywhere. */
  readonly context: 'e' | 'a' | 'i'
  readonly isBetweenBuiltIns: boolean
  /** True when a relation of the statement has a column of a user's type among the two. */
  readonly isOfColumn: boolean
}

export interface NameLookup {
  readonly relations: readonly RelationRow[]
  readonly functions: readonly FunctionRow[]
  readonly casts: readonly CastRow[]
  readonly domains: readonly number[]
  /** Functions that may run although nothing names them: OIDs. */
  readonly ambient: readonly number[]
}
