/**
 * What runs when tables are written although no statement names it: triggers, defaults, checks, generated columns, index
 * expressions, partition keys and rules. An approval is bound to their bodies.
 */
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { DefinitionRow, FunctionRow } from './catalog-rows.ts'
import { lookUpFunctions } from './look-up.ts'
import { FIRST_USER_OID } from './names.ts'

/** Relations that a statement or a body writes to; cascades are followed for what removes or changes keys. */
export interface Written {
  readonly oids: readonly number[]
  readonly removesRows: boolean
  readonly changesRows: boolean
}

/** $1 what is written, $2 rows go, $3 rows change: with what lies below, what a view shows, and what foreign keys drag along. */
const WRITTEN = `
WITH RECURSIVE written AS (
  SELECT o AS oid FROM unnest($1::oid[]) o
  UNION SELECT next.oid FROM written w CROSS JOIN LATERAL (
    SELECT i.inhrelid AS oid FROM pg_catalog.pg_inherits i WHERE i.inhparent = w.oid
    UNION ALL
    SELECT c.conrelid FROM pg_catalog.pg_constraint c WHERE c.confrelid = w.oid AND c.contype = 'f'
      AND ($2::bool AND c.confdeltype IN ('c', 'n', 'd') OR $3::bool AND c.confupdtype IN ('c', 'n', 'd'))
    UNION ALL
    SELECT d.refobjid FROM pg_catalog.pg_class v JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
      WHERE v.oid = w.oid AND v.relkind = 'v' AND d.refobjid <> v.oid AND d.refobjid >= ${FIRST_USER_OID}
  ) next
)`

/** Dependencies of a default, a check, an index and a partition key name the functions and operators of their expressions. */
const ACTING_QUERY = `${WRITTEN}, holders AS (
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
const EXPRESSIONS_QUERY = `${WRITTEN}
SELECT pg_get_expr(a.adbin, a.adrelid) AS text FROM pg_catalog.pg_attrdef a JOIN written w ON a.adrelid = w.oid
UNION SELECT pg_get_expr(k.conbin, k.conrelid) FROM pg_catalog.pg_constraint k JOIN written w ON k.conrelid = w.oid WHERE k.conbin IS NOT NULL
UNION SELECT pg_get_expr(x.indexprs, x.indrelid) FROM pg_catalog.pg_index x JOIN written w ON x.indrelid = w.oid WHERE x.indexprs IS NOT NULL
UNION SELECT pg_get_expr(x.indpred, x.indrelid) FROM pg_catalog.pg_index x JOIN written w ON x.indrelid = w.oid WHERE x.indpred IS NOT NULL
UNION SELECT pg_get_expr(p.partexprs, p.partrelid) FROM pg_catalog.pg_partitioned_table p JOIN written w ON p.partrelid = w.oid WHERE p.partexprs IS NOT NULL`

const RULES_QUERY = `${WRITTEN}
SELECT 'rule' AS source, r.oid::int8::float8 AS oid, pg_get_ruledef(r.oid) AS text
FROM pg_catalog.pg_rewrite r JOIN written w ON r.ev_class = w.oid WHERE r.ev_type <> '1' AND r.ev_enabled <> 'D'`

function argumentsOf({ oids, removesRows, changesRows }: Written) {
  return [[...oids], removesRows, changesRows] as const
}

/** Texts of defaults, checks, generated columns, index expressions and partition keys. */
export async function findActingExpressions(session: DatabaseSession, written: Written): Promise<readonly string[]> {
  const rows = await session.query<{ text: string }>(EXPRESSIONS_QUERY, argumentsOf(written))
  return rows.map((row) => row.text)
}

/** Rules that add to a write or take its place. */
export function findActingRules(session: DatabaseSession, written: Written): Promise<readonly DefinitionRow[]> {
  return session.query<DefinitionRow>(RULES_QUERY, argumentsOf(written))
}

/** Enabled ones on all that is written. */
export async function findActingFunctions(session: DatabaseSession, written: Written): Promise<readonly FunctionRow[]> {
  const found = await session.query<{ oid: number }>(ACTING_QUERY, argumentsOf(written))
  return found.length === 0
    ? []
    : lookUpFunctions(
        session,
        found.map((one) => one.oid),
      )
}
