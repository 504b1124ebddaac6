/** VACUUM, REINDEX, CLUSTER, REFRESH: nothing is lost, but the work is heavy and the locks are strong. */
import type { ClusterStmt, Node, RefreshMatViewStmt, ReindexStmt, VacuumStmt } from 'libpg-query'
import { addColumn, addTarget, type Walk } from '../facts.ts'
import { fieldsOf, relationOf, textOf, textsOf } from '../tree/node.ts'
import { entry, type Judgement } from './entry.ts'

export const MAINTAIN_STATEMENTS = {
  VacuumStmt: entry<VacuumStmt>('HIGH', 'VACUUM', 'rewrites or cleans tables', {
    transaction: 'outside',
    targets: 'every named table as `maintain`',
    details: 'operation VACUUM FULL with FULL; ANALYZE is LOW and runs in a transaction',
    judge: judgeVacuum,
    owned: ['rels'],
  }),
  ReindexStmt: entry<ReindexStmt>('HIGH', 'REINDEX', 'builds indexes anew', {
    targets: 'the table or index as `maintain`',
    details: 'CONCURRENTLY, SCHEMA, DATABASE and SYSTEM run outside a transaction',
    judge: judgeReindex,
    owned: ['relation'],
  }),
  ClusterStmt: entry<ClusterStmt>('HIGH', 'CLUSTER', 'rewrites a table in the order of an index', {
    targets: 'the table as `maintain`',
    details: 'without a table it runs outside a transaction',
    judge: ({ relation }, walk) => {
      if (relation === undefined) return { transaction: 'outside' }
      addTarget(walk, relationOf(relation), 'maintain')
      return undefined
    },
    owned: ['relation'],
  }),
  RefreshMatViewStmt: entry<RefreshMatViewStmt>('HIGH', 'REFRESH MATERIALIZED VIEW', 'replaces the rows of a view', {
    targets: 'the view as `maintain`',
    judge: ({ relation }, walk) => {
      addTarget(walk, relationOf(relation ?? {}), 'maintain', { objectKind: 'materialized view' })
      return undefined
    },
    owned: ['relation'],
  }),
}

/** The options of a list as PostgreSQL reads them: a bare name is true. */
export function isOptionOn(options: readonly Node[] | undefined, name: string): boolean {
  return (options ?? []).some((node) => {
    const option = fieldsOf(node, 'DefElem')
    return option?.defname?.toLowerCase() === name && isTrue(option.arg)
  })
}

function isTrue(value: Node | undefined): boolean {
  if (value === undefined) return true
  const text = textOf(value)
  if (text !== undefined) return !/^(false|off)$/i.test(text)
  const whole = fieldsOf(value, 'Integer')
  if (whole !== undefined) return (whole.ival ?? 0) !== 0
  return fieldsOf(value, 'Boolean')?.boolval !== false
}

function judgeVacuum(vacuum: VacuumStmt, walk: Walk): Judgement | undefined {
  for (const node of vacuum.rels ?? []) {
    const { relation, va_cols } = fieldsOf(node, 'VacuumRelation') ?? {}
    if (relation === undefined) continue
    addTarget(walk, relationOf(relation), 'maintain', { isOnly: relation.inh !== true })
    for (const name of textsOf(va_cols)) addColumn(walk, name, 'read', relationOf(relation))
  }
  if (vacuum.is_vacuumcmd !== true) {
    return {
      operation: 'ANALYZE',
      level: 'LOW',
      code: 'analyze',
      message: 'refreshes statistics',
      transaction: 'write',
    }
  }
  return isOptionOn(vacuum.options, 'full') ? { operation: 'VACUUM FULL', code: 'vacuum-full' } : undefined
}

const WHOLE = new Set(['REINDEX_OBJECT_SCHEMA', 'REINDEX_OBJECT_SYSTEM', 'REINDEX_OBJECT_DATABASE'])

function judgeReindex(reindex: ReindexStmt, walk: Walk): Judgement | undefined {
  if (reindex.relation !== undefined) {
    const objectKind = reindex.kind === 'REINDEX_OBJECT_INDEX' ? 'index' : 'table'
    addTarget(walk, relationOf(reindex.relation), 'maintain', { objectKind })
  } else if (reindex.name !== undefined) {
    const objectKind = reindex.kind === 'REINDEX_OBJECT_SCHEMA' ? 'schema' : 'database'
    addTarget(walk, { name: reindex.name }, 'maintain', { objectKind })
  }
  const isConcurrent = isOptionOn(reindex.params, 'concurrently')
  return isConcurrent || WHOLE.has(reindex.kind ?? '')
    ? { operation: isConcurrent ? 'REINDEX CONCURRENTLY' : 'REINDEX', transaction: 'outside' }
    : undefined
}
