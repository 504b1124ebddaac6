/**
 * The functions that run when tables are written although no statement names them: of triggers, defaults, checks, generated
 * columns, index expressions and partition keys. An approval is bound to their bodies.
 */
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { FunctionRow } from './catalog-rows.ts'
import { lookUpFunctions } from './look-up.ts'
import { FIRST_USER_OID } from './names.ts'

/** Dependencies of a default, a check, an index and a partition key name the functions and operators of their expressions. */
const ACTING_QUERY = `
WITH RECURSIVE written AS (
  SELECT o AS oid FROM unnest($1::oid[]) o
  UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN written w ON i.inhparent = w.oid
), holders AS (
  SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, oid AS objid FROM written
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, x.indexrelid FROM pg_catalog.pg_index x JOIN written w ON x.indrelid = w.oid
  UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, a.oid FROM pg_catalog.pg_attrdef a JOIN written w ON a.adrelid = w.oid
  UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, k.oid FROM pg_catalog.pg_constraint k JOIN written w ON k.conrelid = w.oid
), uses AS (
  SELECT d.refclassid, d.refobjid FROM holders h JOIN pg_catalog.pg_depend d ON d.classid = h.classid AND d.objid = h.objid
  WHERE d.refobjid >= ${FIRST_USER_OID}
)
SELECT t.tgfoid::int8::float8 AS oid FROM pg_catalog.pg_trigger t JOIN written w ON t.tgrelid = w.oid
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
UNION SELECT refobjid::int8::float8 FROM uses WHERE refclassid = 'pg_catalog.pg_proc'::regclass
UNION SELECT o.oprcode::oid::int8::float8 FROM uses JOIN pg_catalog.pg_operator o ON o.oid = refobjid
WHERE refclassid = 'pg_catalog.pg_operator'::regclass`

/** The expressions themselves: functions of the server leave no trace in the dependencies. */
const EXPRESSIONS_QUERY = `
WITH RECURSIVE written AS (
  SELECT o AS oid FROM unnest($1::oid[]) o
  UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN written w ON i.inhparent = w.oid
)
SELECT pg_get_expr(a.adbin, a.adrelid) AS text FROM pg_catalog.pg_attrdef a JOIN written w ON a.adrelid = w.oid
UNION SELECT pg_get_expr(k.conbin, k.conrelid) FROM pg_catalog.pg_constraint k JOIN written w ON k.conrelid = w.oid WHERE k.conbin IS NOT NULL
UNION SELECT pg_get_expr(x.indexprs, x.indrelid) FROM pg_catalog.pg_index x JOIN written w ON x.indrelid = w.oid WHERE x.indexprs IS NOT NULL
UNION SELECT pg_get_expr(x.indpred, x.indrelid) FROM pg_catalog.pg_index x JOIN written w ON x.indrelid = w.oid WHERE x.indpred IS NOT NULL
UNION SELECT pg_get_expr(p.partexprs, p.partrelid) FROM pg_catalog.pg_partitioned_table p JOIN written w ON p.partrelid = w.oid WHERE p.partexprs IS NOT NULL`

/** Texts of defaults, checks, generated columns, index expressions and partition keys. */
export async function findActingExpressions(
  session: DatabaseSession,
  relationOids: readonly number[],
): Promise<readonly string[]> {
  const rows = await session.query<{ text: string }>(EXPRESSIONS_QUERY, [[...relationOids]])
  return rows.map((row) => row.text)
}

/** Enabled ones on the relations and what lies below them. */
export async function findActingFunctions(
  session: DatabaseSession,
  relationOids: readonly number[],
): Promise<readonly FunctionRow[]> {
  const found = await session.query<{ oid: number }>(ACTING_QUERY, [[...relationOids]])
  return found.length === 0
    ? []
    : lookUpFunctions(
        session,
        found.map((one) => one.oid),
      )
}
