/** Which names mean what at a place in the statement: common table expressions and range variables. */
import type { RangeVar } from 'libpg-query'
import type { WrittenName } from './model.ts'
import { relationOf } from './tree/node.ts'

/** One item of a FROM list by the name that columns are qualified with. */
export interface Range {
  readonly alias: string
  /** The tables whose columns it shows under their own names; none for a sub-select, a function or a CTE. */
  readonly relations: readonly WrittenName[]
  /** Only reachable by its alias: OLD and NEW in RETURNING. */
  readonly isQualifiedOnly?: boolean
}

/** CTE names in force, innermost first. */
export interface CteNames {
  readonly name: string
  readonly next: CteNames | undefined
}

export interface Scope {
  readonly ranges: Range[]
  readonly ctes: CteNames | undefined
  readonly outer: Scope | undefined
}

export function emptyScope(): Scope {
  return { ranges: [], ctes: undefined, outer: undefined }
}

/** A scope inside another one: it sees the outer columns and CTEs. */
export function innerScope(outer: Scope): Scope {
  return { ranges: [], ctes: outer.ctes, outer }
}

/** For a sub-select in FROM without LATERAL: its neighbours are hidden. */
export function besideScope(scope: Scope): Scope {
  return { ranges: [], ctes: scope.ctes, outer: scope.outer }
}

export function withCte(scope: Scope, name: string): Scope {
  return { ...scope, ctes: { name, next: scope.ctes } }
}

/** True when the name means a common table expression here; a qualified name never does. */
export function isCte(scope: Scope, range: RangeVar): boolean {
  if (range.schemaname !== undefined) return false
  for (let cte = scope.ctes; cte !== undefined; cte = cte.next) if (cte.name === range.relname) return true
  return false
}

/** The range that a qualifier means, innermost scope first. */
export function findRange(scope: Scope | undefined, alias: string): Range | undefined {
  for (let here = scope; here !== undefined; here = here.outer) {
    const range = here.ranges.find((candidate) => candidate.alias === alias)
    if (range !== undefined) return range
  }
  return undefined
}

/** The range of a table written as `schema.table`. */
export function findQualified(scope: Scope | undefined, schema: string, name: string): Range | undefined {
  for (let here = scope; here !== undefined; here = here.outer) {
    const range = here.ranges.find(
      ({ alias, relations }) => alias === name && relations.some((relation) => relation.schema === schema),
    )
    if (range !== undefined) return range
  }
  return undefined
}

/** The one table that an unqualified column belongs to here; `many` when several come into question. */
export function onlyCandidate(scope: Scope): WrittenName | 'none' | 'many' {
  let only: WrittenName | undefined
  for (let here: Scope | undefined = scope; here !== undefined; here = here.outer) {
    for (const { isQualifiedOnly, relations } of here.ranges) {
      if (isQualifiedOnly === true) continue
      for (const relation of relations) {
        if (only !== undefined && !isSameRelation(only, relation)) return 'many'
        only = relation
      }
    }
  }
  return only ?? 'none'
}

function isSameRelation(left: WrittenName, right: WrittenName): boolean {
  return left.name === right.name && left.schema === right.schema
}

/** The range that a table makes: its alias, or its own name. */
export function rangeOfTable(table: RangeVar): Range {
  return { alias: table.alias?.aliasname ?? table.relname ?? '', relations: [relationOf(table)] }
}
