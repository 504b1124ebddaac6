/** The catalog query that follows a table's dependencies: everything outside of it that it needs, and how to make it again. */

/** Dependencies of the table and of its parts; `is_shape`: the bare table needs it, and not only what is made after the rows. */
const SEEDS = `
  SELECT 'pg_class'::regclass::oid AS classid, $1::oid AS objid, true AS is_shape
  UNION ALL SELECT 'pg_attrdef'::regclass, d.oid, a.attgenerated <> '' FROM pg_attrdef d
    JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = $1::oid
  UNION ALL SELECT 'pg_constraint'::regclass, oid, false FROM pg_constraint WHERE conrelid = $1::oid
  UNION ALL SELECT 'pg_trigger'::regclass, oid, false FROM pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal
  UNION ALL SELECT 'pg_policy'::regclass, oid, false FROM pg_policy WHERE polrelid = $1::oid
  UNION ALL SELECT 'pg_rewrite'::regclass, oid, false FROM pg_rewrite WHERE ev_class = $1::oid
  UNION ALL SELECT 'pg_class'::regclass, indexrelid, false FROM pg_index WHERE indrelid = $1::oid
  UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, false FROM pg_statistic_ext WHERE stxrelid = $1::oid`

/**
 * Each row an edge. Other tables are where it ends, and so is what belongs to a table. A composite type's fields hang on its
 * relation, a domain's checks on its constraints.
 */
const EDGES = `
  edge AS (
    SELECT s.classid AS fc, s.objid AS fo, d.refclassid AS tc, d.refobjid AS t, s.is_shape
      FROM (${SEEDS}) s JOIN pg_depend d ON d.classid = s.classid AND d.objid = s.objid
     WHERE NOT (d.refclassid = 'pg_class'::regclass AND s.classid IN ('pg_class'::regclass, 'pg_constraint'::regclass))
    UNION
    SELECT e.tc, e.t, next.refclassid, next.refobjid, e.is_shape
      FROM edge e CROSS JOIN LATERAL (
        SELECT d.refclassid, d.refobjid FROM pg_depend d
         WHERE d.classid = e.tc AND d.objid = e.t
           AND (d.classid <> 'pg_class'::regclass OR (SELECT relkind FROM pg_class WHERE oid = e.t) = 'S')
        UNION ALL SELECT d.refclassid, d.refobjid FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
          JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
         WHERE e.tc = 'pg_type'::regclass AND t.oid = e.t AND d.refobjid <> t.oid
        UNION ALL SELECT 'pg_class'::regclass, t.typrelid FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind <> 'c'
         WHERE e.tc = 'pg_type'::regclass AND t.oid = e.t
        UNION ALL SELECT d.refclassid, d.refobjid FROM pg_constraint k
          JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
         WHERE e.tc = 'pg_type'::regclass AND k.contypid = e.t AND d.refobjid <> e.t) next
     WHERE e.tc NOT IN ('pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_trigger'::regclass))`

const COLLATE = (type: string, collation: string) => `
  CASE WHEN ${collation} <> 0 AND ${collation} <> (SELECT typcollation FROM pg_type WHERE oid = ${type}) THEN
    (SELECT format(' COLLATE %I.%I', cn.nspname, co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
      WHERE co.oid = ${collation}) ELSE '' END`

const CREATE_ENUM = `
  json_build_array(format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname,
    (SELECT string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = t.oid)))`

const CREATE_COMPOSITE = `
  json_build_array(format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname,
    (SELECT string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod), ${COLLATE('a.atttypid', 'a.attcollation')}), ', '
       ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)))`

const CREATE_DOMAIN = `
  (SELECT json_agg(s.text ORDER BY s.place) FROM (
    SELECT '' AS place, format('CREATE DOMAIN %I.%I AS %s%s%s%s', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
      ${COLLATE('t.typbasetype', 't.typcollation')}, ' DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN ' NOT NULL' END) AS text
    UNION ALL
    SELECT k.conname, format('ALTER DOMAIN %I.%I ADD CONSTRAINT %I %s', n.nspname, t.typname, k.conname, pg_get_constraintdef(k.oid))
      FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c') s)`

/** A canonical function is written in C and needs the type before it is there. */
const CREATE_RANGE = `
  (SELECT CASE WHEN r.rngcanonical = 0 THEN json_build_array(format('CREATE TYPE %I.%I AS RANGE (%s)', n.nspname, t.typname, concat_ws(', ',
      'subtype = ' || format_type(r.rngsubtype, NULL),
      (SELECT format('subtype_opclass = %I.%I', oc.nspname, o.opcname) FROM pg_opclass o JOIN pg_namespace oc ON oc.oid = o.opcnamespace
        WHERE o.oid = r.rngsubopc),
      (SELECT format('collation = %I.%I', cn.nspname, co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
        WHERE co.oid = r.rngcollation),
      'subtype_diff = ' || nullif(r.rngsubdiff, 0)::regproc::text,
      (SELECT format('multirange_type_name = %I.%I', mn.nspname, m.typname) FROM pg_type m JOIN pg_namespace mn ON mn.oid = m.typnamespace
        WHERE m.oid = r.rngmultitypid)))) END
   FROM pg_range r WHERE r.rngtypid = t.oid)`

/** The nodes of one catalog: from them, so that nothing is written out for the rest of it. */
const NODES = (catalog: string) => `(SELECT objid FROM node WHERE classid = '${catalog}'::regclass) w`

const TYPES = `
  SELECT 'pg_type'::regclass::oid AS classid, t.oid AS objid, 'type' AS kind, n.nspname::text AS schema, t.typname::text AS name,
    format_type(t.oid, NULL) AS identity, NULL::text AS version, t.typowner AS owner,
    CASE t.typtype WHEN 'e' THEN ${CREATE_ENUM} WHEN 'd' THEN ${CREATE_DOMAIN} WHEN 'r' THEN ${CREATE_RANGE}
      WHEN 'c' THEN ${CREATE_COMPOSITE} END AS "create",
    format('%s %I.%I', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname) AS handle, NULL::aclitem[] AS acl,
    (SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = t.oid) AS labels
  FROM ${NODES('pg_type')} JOIN pg_type t ON t.oid = w.objid JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
 WHERE NOT (t.typelem <> 0 AND t.typcategory = 'A') AND t.typtype <> 'm' AND (c.oid IS NULL OR c.relkind = 'c')`

/** A function of SECURITY DEFINER must never come to belong to whoever restores. */
const FUNCTIONS = `
  SELECT 'pg_proc'::regclass::oid, p.oid, 'function', n.nspname::text, p.proname::text,
    (SELECT o.identity FROM pg_identify_object('pg_proc'::regclass, p.oid, 0) o), NULL, p.proowner,
    CASE WHEN l.lanname IN ('sql', 'plpgsql') AND p.prokind IN ('f', 'p', 'w') THEN (
      SELECT json_agg(s.text ORDER BY s.place) FROM (
        SELECT 1 AS place, pg_get_functiondef(p.oid) AS text
        UNION ALL SELECT 2, format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, pg_get_userbyid(p.proowner)) WHERE p.prosecdef
        UNION ALL SELECT 3, format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', p.oid::regprocedure) WHERE p.proacl IS NOT NULL) s) END,
    format('ROUTINE %s', p.oid::regprocedure), p.proacl, NULL
  FROM ${NODES('pg_proc')} JOIN pg_proc p ON p.oid = w.objid JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang`

/** One whose state the role may not read would give numbers out again: it is not made. */
const SEQUENCES = `
  SELECT 'pg_class'::regclass::oid, c.oid, 'sequence', n.nspname::text, c.relname::text, format('%I.%I', n.nspname, c.relname), NULL, c.relowner,
    CASE WHEN v.is_readable THEN json_build_array(
      format('CREATE SEQUENCE %I.%I AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s', n.nspname, c.relname,
        format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' END),
      format('SELECT setval(%L, %s, %L)', format('%I.%I', n.nspname, c.relname),
        coalesce(v.last_value, s.seqstart), v.last_value IS NOT NULL)) END,
    format('SEQUENCE %I.%I', n.nspname, c.relname), c.relacl, NULL
  FROM ${NODES('pg_class')} JOIN pg_class c ON c.oid = w.objid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
  CROSS JOIN LATERAL (SELECT has_sequence_privilege(c.oid, 'USAGE, SELECT') AS is_readable) h
  CROSS JOIN LATERAL (SELECT h.is_readable, CASE WHEN h.is_readable THEN pg_sequence_last_value(c.oid) END AS last_value) v
 WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
                     AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::oid)`

const COLLATIONS = `
  SELECT 'pg_collation'::regclass::oid, c.oid, 'collation', n.nspname::text, c.collname::text, format('%I.%I', n.nspname, c.collname), NULL,
    c.collowner,
    json_build_array(format('CREATE COLLATION %I.%I (%s)', n.nspname, c.collname, concat_ws(', ',
      'provider = ' || CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
      format('locale = %L', coalesce(j.row ->> 'colllocale', j.row ->> 'colliculocale',
        CASE WHEN c.collprovider = 'i' OR c.collcollate = c.collctype THEN c.collcollate END)),
      CASE WHEN c.collprovider = 'c' AND c.collcollate <> c.collctype
        THEN format('lc_collate = %L, lc_ctype = %L', c.collcollate, c.collctype) END,
      CASE WHEN NOT c.collisdeterministic THEN 'deterministic = false' END,
      'rules = ' || quote_literal(j.row ->> 'collicurules')))),
    format('COLLATION %I.%I', n.nspname, c.collname), NULL, NULL
  FROM ${NODES('pg_collation')} JOIN pg_collation c ON c.oid = w.objid JOIN pg_namespace n ON n.oid = c.collnamespace CROSS JOIN LATERAL (SELECT to_jsonb(c) AS row) j`

const OTHERS = `
  SELECT 'pg_namespace'::regclass::oid, n.oid, 'schema', NULL, n.nspname::text, quote_ident(n.nspname), NULL, n.nspowner,
    json_build_array(format('CREATE SCHEMA %I', n.nspname)), format('SCHEMA %I', n.nspname), n.nspacl, NULL
    FROM ${NODES('pg_namespace')} JOIN pg_namespace n ON n.oid = w.objid
  UNION ALL SELECT 'pg_extension'::regclass::oid, x.oid, 'extension', n.nspname::text, x.extname::text, quote_ident(x.extname), x.extversion,
    x.extowner, NULL, NULL, NULL, NULL FROM ${NODES('pg_extension')} JOIN pg_extension x ON x.oid = w.objid JOIN pg_namespace n ON n.oid = x.extnamespace
  UNION ALL SELECT 'pg_class'::regclass::oid, c.oid, 'relation', n.nspname::text, c.relname::text, format('%I.%I', n.nspname, c.relname), NULL,
    c.relowner, NULL, NULL, NULL, NULL FROM ${NODES('pg_class')} JOIN pg_class c ON c.oid = w.objid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid <> $1::oid AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  UNION ALL SELECT 'pg_operator'::regclass::oid, o.oid, 'operator', n.nspname::text, o.oprname::text,
    (SELECT i.identity FROM pg_identify_object('pg_operator'::regclass, o.oid, 0) i), NULL, o.oprowner, NULL, NULL, NULL, NULL
    FROM ${NODES('pg_operator')} JOIN pg_operator o ON o.oid = w.objid JOIN pg_namespace n ON n.oid = o.oprnamespace
  UNION ALL SELECT 'pg_opclass'::regclass::oid, o.oid, 'operator class', n.nspname::text, o.opcname::text,
    (SELECT i.identity FROM pg_identify_object('pg_opclass'::regclass, o.oid, 0) i), NULL, o.opcowner, NULL, NULL, NULL, NULL
    FROM ${NODES('pg_opclass')} JOIN pg_opclass o ON o.oid = w.objid JOIN pg_namespace n ON n.oid = o.opcnamespace
  UNION ALL SELECT 'pg_language'::regclass::oid, l.oid, 'language', NULL, l.lanname::text, quote_ident(l.lanname), NULL, l.lanowner, NULL, NULL, NULL, NULL
    FROM ${NODES('pg_language')} JOIN pg_language l ON l.oid = w.objid
  UNION ALL SELECT 'pg_am'::regclass::oid, a.oid, 'access method', NULL, a.amname::text, quote_ident(a.amname), NULL, 0, NULL, NULL, NULL, NULL FROM ${NODES('pg_am')} JOIN pg_am a ON a.oid = w.objid
  UNION ALL SELECT 'pg_ts_config'::regclass::oid, g.oid, 'text search configuration', n.nspname::text, g.cfgname::text,
    format('%I.%I', n.nspname, g.cfgname), NULL, g.cfgowner, NULL, NULL, NULL, NULL
    FROM ${NODES('pg_ts_config')} JOIN pg_ts_config g ON g.oid = w.objid JOIN pg_namespace n ON n.oid = g.cfgnamespace`

/**
 * `$1` is the table's oid; one row, one column `required` of JSON text: objects with `id`, what each `needs`, and `memberOf` for
 * what comes with an extension.
 */
export const REQUIRED_SQL = `
  WITH RECURSIVE ${EDGES},
  node AS MATERIALIZED (SELECT tc AS classid, t AS objid, bool_or(is_shape) AS is_shape FROM edge GROUP BY 1, 2),
  known AS (${TYPES} UNION ALL ${FUNCTIONS} UNION ALL ${SEQUENCES} UNION ALL ${COLLATIONS} UNION ALL ${OTHERS})
  SELECT coalesce(json_agg(json_build_object('id', n.classid || ':' || n.objid, 'isNeededForRows', n.is_shape,
      'needs', (SELECT coalesce(json_agg(DISTINCT e.tc || ':' || e.t), '[]') FROM edge e WHERE e.fc = n.classid AND e.fo = n.objid),
      'memberOf', (SELECT d.refclassid || ':' || d.refobjid FROM pg_depend d
         WHERE d.classid = n.classid AND d.objid = n.objid AND d.deptype = 'e' LIMIT 1),
      'kind', k.kind, 'schema', k.schema, 'name', k.name, 'identity', k.identity, 'version', k.version, 'create', k."create",
      'handle', k.handle, 'owner', CASE WHEN k.owner <> 0 THEN pg_get_userbyid(k.owner) END, 'labels', coalesce(k.labels, '[]'),
      'grants', (SELECT coalesce(json_agg(json_build_object('grantee', CASE g.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(g.grantee) END,
          'privilege', g.privilege_type, 'isGrantable', g.is_grantable)), '[]') FROM aclexplode(k.acl) g)) ORDER BY n.classid, n.objid), '[]')::text AS required
    FROM node n LEFT JOIN known k USING (classid, objid)`
