/** Catalog queries, each a scalar sub-select over the table `$1::oid`, that together give a table's definition as JSON. */

const GRANTS = (acl: string) => `
  (SELECT coalesce(json_agg(json_build_object(
      'grantee', CASE g.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(g.grantee) END,
      'privilege', g.privilege_type, 'isGrantable', g.is_grantable)
    ORDER BY g.grantee, g.privilege_type), '[]') FROM aclexplode(${acl}) g)`

const NAME = (schema: string, name: string) => `json_build_object('schema', ${schema}, 'name', ${name})`

const COLUMN_NAMES = (relation: string, numbers: string) => `
  (SELECT coalesce(json_agg(k.attname ORDER BY u.place), '[]')
     FROM unnest(${numbers}) WITH ORDINALITY u(number, place)
     JOIN pg_attribute k ON k.attrelid = ${relation} AND k.attnum = u.number)`

const TABLE = `
  (SELECT json_build_object(
      'kind', CASE c.relkind WHEN 'p' THEN 'partitioned table' ELSE 'table' END,
      'isUnlogged', c.relpersistence = 'u',
      'owner', pg_get_userbyid(c.relowner),
      'comment', obj_description(c.oid, 'pg_class'),
      'accessMethod', (SELECT amname FROM pg_am WHERE oid = c.relam),
      'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace),
      'options', coalesce(to_json(c.reloptions), '[]'),
      'toastOptions', coalesce((SELECT to_json(t.reloptions) FROM pg_class t WHERE t.oid = c.reltoastrelid), '[]'),
      'rowSecurity', CASE WHEN c.relforcerowsecurity THEN 'forced' WHEN c.relrowsecurity THEN 'on' ELSE 'off' END,
      'replicaIdentity', CASE c.relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' ELSE 'default' END,
      'grants', ${GRANTS('c.relacl')},
      'ofType', (SELECT format_type(t.oid, NULL) FROM pg_type t WHERE t.oid = c.reloftype),
      'partitionBound', pg_get_expr(c.relpartbound, c.oid),
      'partitionKey', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END)
   FROM pg_class c WHERE c.oid = $1::oid)`

/** A domain stands for its base type, through any number of domains. */
const BASE_TYPE = `
  LATERAL (
    WITH RECURSIVE chain AS (
      SELECT t.*, a.atttypmod AS modifier FROM pg_type t WHERE t.oid = a.atttypid
      UNION ALL
      SELECT t.*, chain.typtypmod FROM chain JOIN pg_type t ON t.oid = chain.typbasetype WHERE chain.typtype = 'd')
    SELECT * FROM chain WHERE typtype <> 'd') base`

/** The type and everything that its values are made of: elements, fields, bounds, base types. */
const TYPE_PARTS = `
  (WITH RECURSIVE part(oid) AS (
      SELECT a.atttypid
      UNION
      SELECT next.oid FROM part JOIN pg_type t ON t.oid = part.oid CROSS JOIN LATERAL (
        SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
        UNION ALL SELECT t.typelem WHERE t.typelem <> 0 AND t.typlen = -1
        UNION ALL SELECT k.atttypid FROM pg_attribute k
          WHERE t.typtype = 'c' AND k.attrelid = t.typrelid AND k.attnum > 0 AND NOT k.attisdropped
        UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid
        UNION ALL SELECT r.rngtypid FROM pg_range r WHERE t.typtype = 'm' AND r.rngmultitypid = t.oid) next)
    SELECT json_agg(json_build_object('oid', part.oid::bigint,
        'kind', CASE WHEN t.typtype = 'b' AND t.typelem <> 0 AND t.typlen = -1 THEN 'a' ELSE t.typtype END) ORDER BY part.oid)
      FROM part JOIN pg_type t ON t.oid = part.oid)`

const SEQUENCE = `
  LATERAL (
    SELECT s.oid, n.nspname, s.relname, q.*
      FROM pg_depend d
      JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
      JOIN pg_namespace n ON n.oid = s.relnamespace
      JOIN pg_sequence q ON q.seqrelid = s.oid
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
       AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
     ORDER BY d.deptype = 'i' DESC, s.oid LIMIT 1) seq`

const SEQUENCE_JSON = `
  CASE WHEN seq.oid IS NOT NULL THEN json_build_object(
    'schema', seq.nspname, 'name', seq.relname, 'type', format_type(seq.seqtypid, NULL), 'start', seq.seqstart::text,
    'increment', seq.seqincrement::text, 'minimum', seq.seqmin::text, 'maximum', seq.seqmax::text,
    'cache', seq.seqcache::text, 'isCycling', seq.seqcycle) END`

const COLUMNS = `
  (SELECT coalesce(json_agg(json_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod),
      'base', json_build_object('oid', base.oid::bigint, 'kind', base.typtype, 'modifier', base.modifier,
        'parts', ${TYPE_PARTS},
        'send', (SELECT prosrc FROM pg_proc WHERE oid = base.typsend AND prolang = 12),
        'receive', (SELECT prosrc FROM pg_proc WHERE oid = base.typreceive AND prolang = 12)),
      'collation', CASE WHEN a.attcollation <> t.typcollation THEN
        (SELECT ${NAME('n.nspname', 'o.collname')} FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace
          WHERE o.oid = a.attcollation) END,
      'isNotNull', a.attnotnull,
      'expression', pg_get_expr(d.adbin, d.adrelid),
      'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
      'generated', CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END,
      'sequence', ${SEQUENCE_JSON},
      'isSerial', a.attidentity = '' AND seq.oid IS NOT NULL
        AND pg_get_expr(d.adbin, d.adrelid) = format('nextval(%L::regclass)', seq.oid::regclass::text),
      'storage', CASE WHEN a.attstorage <> t.typstorage THEN
        CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'x' THEN 'extended' ELSE 'main' END END,
      'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
      'statisticsTarget', nullif(a.attstattarget, -1),
      'options', coalesce(to_json(a.attoptions), '[]'),
      'comment', col_description(a.attrelid, a.attnum),
      'grants', ${GRANTS('a.attacl')}) ORDER BY a.attnum), '[]')
   FROM pg_attribute a
   JOIN pg_type t ON t.oid = a.atttypid
   LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   CROSS JOIN ${BASE_TYPE}
   LEFT JOIN ${SEQUENCE} ON true
   WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped)`

const FOREIGN_KEY_HEAD = `
  format('FOREIGN KEY (%s) REFERENCES ', (SELECT string_agg(
      CASE WHEN (to_jsonb(c) ->> 'conperiod')::boolean AND u.place = cardinality(c.conkey) THEN 'PERIOD ' ELSE '' END
        || quote_ident(k.attname), ', ' ORDER BY u.place)
    FROM unnest(c.conkey) WITH ORDINALITY u(number, place)
    JOIN pg_attribute k ON k.attrelid = c.conrelid AND k.attnum = u.number))`

const CONSTRAINTS = `
  (SELECT coalesce(json_agg(json_build_object(
      'name', c.conname,
      'kind', CASE c.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key'
        WHEN 'u' THEN 'unique' WHEN 'x' THEN 'exclusion' WHEN 'n' THEN 'not null' WHEN 't' THEN 'trigger' ELSE 'other' END,
      'definition', f.text,
      'columns', ${COLUMN_NAMES('c.conrelid', 'c.conkey')},
      'isValidated', c.convalidated,
      'isInherited', NOT c.conislocal,
      'references', (SELECT ${NAME('n.nspname', 'r.relname')} FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
        WHERE r.oid = c.confrelid),
      'referenceHead', CASE WHEN starts_with(f.text, h.head || h.place) THEN h.head END,
      'referenceTail', CASE WHEN starts_with(f.text, h.head || h.place) THEN substr(f.text, length(h.head || h.place) + 1) END,
      'comment', obj_description(c.oid, 'pg_constraint')) ORDER BY c.contype, c.conname), '[]')
   FROM pg_constraint c
   CROSS JOIN LATERAL (SELECT pg_get_constraintdef(c.oid) AS text) f
   LEFT JOIN LATERAL (SELECT ${FOREIGN_KEY_HEAD} AS head, format('%I.%I', n.nspname, r.relname) AS place
     FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace WHERE r.oid = c.confrelid) h ON c.contype = 'f'
   WHERE c.conrelid = $1::oid AND c.contype <> 't')`

/** The head of CREATE INDEX is rebuilt and cut off, so that the rest can be used on another table. */
const INDEXES = `
  (SELECT coalesce(json_agg(json_build_object(
      'name', i.relname, 'isUnique', x.indisunique, 'isValid', x.indisvalid, 'constraint', k.conname,
      'tail', CASE
        WHEN starts_with(f.text, h.head || f.place) THEN substr(f.text, length(h.head || f.place) + 1)
        WHEN starts_with(f.text, h.head || 'ONLY ' || f.place) THEN substr(f.text, length(h.head || 'ONLY ' || f.place) + 1) END,
      'options', coalesce(to_json(i.reloptions), '[]'),
      'isInherited', EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.oid),
      'definition', f.text, 'isClustered', x.indisclustered, 'isReplicaIdentity', x.indisreplident,
      'comment', obj_description(i.oid, 'pg_class')) ORDER BY i.relname), '[]')
   FROM pg_index x
   JOIN pg_class i ON i.oid = x.indexrelid
   JOIN pg_class c ON c.oid = x.indrelid
   JOIN pg_namespace n ON n.oid = c.relnamespace
   LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x')
   CROSS JOIN LATERAL (SELECT pg_get_indexdef(i.oid) AS text, format('%I.%I ', n.nspname, c.relname) AS place) f
   CROSS JOIN LATERAL (SELECT format('CREATE %sINDEX %I ON ', CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END, i.relname) AS head) h
   WHERE x.indrelid = $1::oid)`

const TRIGGER_HEAD = `
  format('CREATE %sTRIGGER %I %s %s ON ',
    CASE WHEN g.tgconstraint <> 0 THEN 'CONSTRAINT ' ELSE '' END, g.tgname,
    CASE WHEN g.tgtype & 2 <> 0 THEN 'BEFORE' WHEN g.tgtype & 64 <> 0 THEN 'INSTEAD OF' ELSE 'AFTER' END,
    concat_ws(' OR ', CASE WHEN g.tgtype & 4 <> 0 THEN 'INSERT' END, CASE WHEN g.tgtype & 8 <> 0 THEN 'DELETE' END,
      CASE WHEN g.tgtype & 16 <> 0 THEN 'UPDATE' || coalesce((SELECT ' OF ' || string_agg(quote_ident(k.attname), ', ' ORDER BY u.place)
        FROM unnest(g.tgattr::int2[]) WITH ORDINALITY u(number, place)
        JOIN pg_attribute k ON k.attrelid = g.tgrelid AND k.attnum = u.number), '') END,
      CASE WHEN g.tgtype & 32 <> 0 THEN 'TRUNCATE' END))`

const TRIGGERS = `
  (SELECT coalesce(json_agg(json_build_object(
      'name', g.tgname, 'definition', f.text,
      'head', CASE WHEN starts_with(f.text, h.head || f.place) THEN h.head END,
      'tail', CASE WHEN starts_with(f.text, h.head || f.place) THEN substr(f.text, length(h.head || f.place) + 1) END,
      'firing', CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' ELSE 'origin' END,
      'function', g.tgfoid::regprocedure::text,
      'isInherited', g.tgparentid <> 0,
      'comment', obj_description(g.oid, 'pg_trigger')) ORDER BY g.tgname), '[]')
   FROM pg_trigger g
   JOIN pg_class c ON c.oid = g.tgrelid
   JOIN pg_namespace n ON n.oid = c.relnamespace
   CROSS JOIN LATERAL (SELECT pg_get_triggerdef(g.oid) AS text, format('%I.%I ', n.nspname, c.relname) AS place) f
   CROSS JOIN LATERAL (SELECT ${TRIGGER_HEAD} AS head) h
   WHERE g.tgrelid = $1::oid AND NOT g.tgisinternal)`

const POLICIES = `
  (SELECT coalesce(json_agg(json_build_object(
      'name', p.polname,
      'command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
      'isPermissive', p.polpermissive,
      'roles', (SELECT json_agg(CASE r WHEN 0 THEN '' ELSE pg_get_userbyid(r) END) FROM unnest(p.polroles) r),
      'using', pg_get_expr(p.polqual, p.polrelid), 'withCheck', pg_get_expr(p.polwithcheck, p.polrelid),
      'comment', obj_description(p.oid, 'pg_policy')) ORDER BY p.polname), '[]')
   FROM pg_policy p WHERE p.polrelid = $1::oid)`

const RULES = `
  (SELECT coalesce(json_agg(json_build_object('name', r.rulename, 'definition', pg_get_ruledef(r.oid),
      'firing', CASE r.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' ELSE 'origin' END,
      'comment', obj_description(r.oid, 'pg_rewrite')) ORDER BY r.rulename), '[]')
   FROM pg_rewrite r WHERE r.ev_class = $1::oid AND r.rulename <> '_RETURN')`

const STATISTICS = `
  (SELECT coalesce(json_agg(json_build_object('name', s.stxname, 'schema', (SELECT nspname FROM pg_namespace WHERE oid = s.stxnamespace), 'definition', pg_get_statisticsobjdef(s.oid),
      'target', nullif(s.stxstattarget, -1), 'comment', obj_description(s.oid, 'pg_statistic_ext')) ORDER BY s.stxname), '[]')
   FROM pg_statistic_ext s WHERE s.stxrelid = $1::oid)`

const PARENTS = `
  (SELECT coalesce(json_agg(${NAME('n.nspname', 'c.relname')} ORDER BY h.inhseqno), '[]')
   FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE h.inhrelid = $1::oid)`

const PARTITIONS = `
  (SELECT coalesce(json_agg(json_build_object('oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname,
      'bound', pg_get_expr(c.relpartbound, c.oid),
      'key', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
      'parent', ${NAME('pn.nspname', 'p.relname')}) ORDER BY t.level, n.nspname, c.relname), '[]')
   FROM pg_partition_tree($1::oid) t
   JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
   JOIN pg_class p ON p.oid = t.parentrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
   WHERE t.relid <> $1::oid)`

const INCOMING = `
  (SELECT coalesce(json_agg(json_build_object('table', ${NAME('n.nspname', 'r.relname')}, 'name', c.conname,
      'definition', pg_get_constraintdef(c.oid), 'isValidated', c.convalidated) ORDER BY n.nspname, r.relname, c.conname), '[]')
   FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
   WHERE c.confrelid = $1::oid AND c.conrelid <> $1::oid AND c.contype = 'f' AND c.conparentid = 0)`

const DEPENDENTS = `
  (SELECT coalesce(json_agg(v.name ORDER BY v.name), '[]') FROM (
     SELECT DISTINCT CASE c.relkind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || c.oid::regclass AS name
       FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
       JOIN pg_class c ON c.oid = r.ev_class
      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::oid AND c.oid <> $1::oid) v)`

/** Tables that a publication names; those that it takes in as one of a schema, or of all, it takes in again. */
const PUBLICATIONS = `
  (SELECT coalesce(json_agg(json_build_object('name', p.pubname, 'where', v.row ->> 'rowfilter',
      'columns', CASE WHEN jsonb_typeof(to_jsonb(r) -> 'prattrs') <> 'null' THEN v.row -> 'attnames' END) ORDER BY p.pubname), '[]')
   FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
   JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   LEFT JOIN LATERAL (SELECT to_jsonb(t) AS row FROM pg_publication_tables t
     WHERE t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname) v ON true
   WHERE r.prrelid = $1::oid)`

const SECURITY_LABELS = `
  (SELECT coalesce(json_agg(json_build_object('provider', l.provider, 'label', l.label,
      'column', (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = l.objoid AND a.attnum = l.objsubid AND l.objsubid > 0))
      ORDER BY l.provider, l.objsubid), '[]')
   FROM pg_seclabel l WHERE l.classoid = 'pg_class'::regclass AND l.objoid = $1::oid)`

const DEFINITION = `json_build_object(
  'table', ${TABLE}, 'columns', ${COLUMNS}, 'constraints', ${CONSTRAINTS}, 'indexes', ${INDEXES}, 'triggers', ${TRIGGERS},
  'policies', ${POLICIES}, 'rules', ${RULES}, 'statistics', ${STATISTICS}, 'parents', ${PARENTS},
  'partitions', ${PARTITIONS}, 'incomingForeignKeys', ${INCOMING}, 'dependents', ${DEPENDENTS},
  'publications', ${PUBLICATIONS}, 'securityLabels', ${SECURITY_LABELS})::text`

/** `$1` is the table's oid; one row, one column `definition` of JSON text. */
export const DEFINITION_SQL = `SELECT ${DEFINITION} AS definition`

/** `$1` an array of oids; a row each, in their order. */
export const DEFINITIONS_SQL = `SELECT ${DEFINITION.replaceAll('$1::oid', 'wanted.oid')} AS definition
  FROM unnest($1::oid[]) WITH ORDINALITY wanted(oid, place) ORDER BY place`

/** `$1` schema, `$2` name. */
export const RELATION_SQL = `
  SELECT c.oid::text AS oid, c.relkind::text AS kind, c.relpersistence::text AS persistence
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2`

/**
 * What the server is, and a mark of its state: equal marks mean that no transaction ended in between. The snapshot tells
 * commits; the server's start and its last checkpoint tell a crash, after which numbers may be used again.
 */
export const SOURCE_SQL = `
  SELECT current_setting('server_version_num') AS server_version, current_setting('server_encoding') AS encoding,
         concat_ws('/', extract(epoch FROM pg_postmaster_start_time()), (pg_control_checkpoint()).checkpoint_lsn,
           pg_current_snapshot()) AS mark`

/**
 * `$1` is the table's oid; sizes as they are now. Ranges of row places are scanned as such from PostgreSQL 14 on: before, each
 * would read the whole table.
 */
export const HEAP_SQL = `
  SELECT CASE WHEN current_setting('server_version_num')::integer >= 140000
           THEN pg_relation_size($1::oid) / current_setting('block_size')::bigint ELSE 1 END::text AS pages,
         pg_table_size($1::oid)::text AS bytes`

export const LSN_SQL = `
  SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS lsn`
