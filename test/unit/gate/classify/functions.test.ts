import { beforeAll, describe, expect, it } from 'vitest'
import { STEADY_FUNCTIONS, VOLATILE_FUNCTIONS } from '#lib/gate/classify/functions/catalog-functions.ts'
import { DENIED_FUNCTIONS, findDenial } from '#lib/gate/classify/functions/denied-functions.ts'
import { HARMLESS_VOLATILE } from '#lib/gate/classify/functions/harmless-functions.ts'
import { loadClassifier } from '#lib/gate/classify/index.ts'
import { classified, codes } from '#test/support/classify/classified.ts'

beforeAll(loadClassifier)

describe('the function lists', () => {
  it('hold what they should and do not contradict each other', () => {
    expect(STEADY_FUNCTIONS.size).toBeGreaterThan(1900)
    expect(VOLATILE_FUNCTIONS.size).toBeGreaterThan(200)
    expect([...STEADY_FUNCTIONS].filter((name) => VOLATILE_FUNCTIONS.has(name))).toEqual([])
    expect([...HARMLESS_VOLATILE.keys()].filter((name) => !VOLATILE_FUNCTIONS.has(name))).toEqual([])
    expect([...HARMLESS_VOLATILE.keys()].filter((name) => findDenial(name) !== undefined)).toEqual([])
  })

  it('deny whatever a read-only transaction does not stop', () => {
    const names =
      'pg_terminate_backend pg_cancel_backend dblink dblink_exec lo_import lo_unlink pg_read_file pg_read_binary_file pg_ls_dir ' +
      'pg_stat_file set_config pg_stat_reset pg_stat_reset_shared pg_notify query_to_xml table_to_xml cursor_to_xml schema_to_xml ' +
      'database_to_xml pg_advisory_lock pg_try_advisory_lock pg_sleep nextval setval txid_current pg_current_xact_id ' +
      'pg_logical_emit_message pg_replication_origin_create pg_create_restore_point pg_drop_replication_slot pg_switch_wal ' +
      'pg_reload_conf pg_rotate_logfile pg_promote pg_wal_replay_pause pg_backup_start pg_backup_stop pg_export_snapshot ' +
      'pg_log_backend_memory_contexts pg_import_system_collations brin_summarize_new_values gin_clean_pending_list ' +
      'pg_extension_config_dump pg_nextoid binary_upgrade_create_empty_extension ts_stat'
    const listed = names.split(' ')
    expect(listed.length).toBeGreaterThan(40)
    for (const name of listed) {
      expect(classified(`SELECT ${name}()`).level, name).not.toBe('SAFE')
      expect(classified(`SELECT "pg_catalog".${name}(1)`).level, name).not.toBe('SAFE')
      expect(classified(`SELECT * FROM ${name}(1)`).level, name).not.toBe('SAFE')
    }
  })

  it('leave no VOLATILE function of pg_catalog SAFE without a reason', () => {
    for (const name of VOLATILE_FUNCTIONS) {
      const isSafe = classified(`SELECT ${name}()`).level === 'SAFE'
      expect([name, isSafe]).toEqual([name, HARMLESS_VOLATILE.has(name)])
    }
    expect(DENIED_FUNCTIONS.size).toBeGreaterThan(60)
  })
})

describe('a function call', () => {
  it('is found wherever it stands', () => {
    const texts = [
      'SELECT f()',
      'SELECT 1 FROM f()',
      'SELECT 1 FROM t WHERE f()',
      'SELECT 1 FROM t GROUP BY f()',
      'SELECT 1 FROM t ORDER BY f()',
      'SELECT 1 FROM t HAVING f()',
      'SELECT 1 FROM t LIMIT f()',
      'SELECT sum(1) OVER (PARTITION BY f()) FROM t',
      'SELECT sum(1) FILTER (WHERE f()) FROM t',
      'SELECT 1 FROM a JOIN b ON f()',
      'SELECT 1 FROM a, LATERAL f(a.x)',
      'SELECT CASE WHEN f() THEN 1 END',
      'SELECT ARRAY[f()]',
      'SELECT (f()).x',
      'SELECT a[f()] FROM t',
      'VALUES (f())',
      'SELECT 1 FROM ROWS FROM (f(), g())',
      'SELECT 1 FROM t TABLESAMPLE system (f())',
      'SELECT json_object(1: f())',
      'SELECT xmlelement(name a, f())',
      'INSERT INTO t VALUES (f())',
      'INSERT INTO t SELECT 1 ON CONFLICT (f(a)) DO NOTHING',
      'UPDATE t SET a = f() WHERE id = 1',
      'DELETE FROM t WHERE id = 1 RETURNING f()',
      'CREATE TABLE t (a int DEFAULT f())',
      'CREATE TABLE t (a int CHECK (f(a)))',
      'CREATE TABLE t (a int GENERATED ALWAYS AS (f(a)) STORED)',
      'CREATE TABLE p PARTITION OF t FOR VALUES FROM (f()) TO (1)',
      'CREATE TABLE t (a int) PARTITION BY RANGE (f(a))',
      'CREATE INDEX ON t (f(a))',
      'CREATE INDEX ON t (a) WHERE f(a)',
      'ALTER TABLE t ADD CHECK (f(a))',
      'ALTER TABLE t ALTER a TYPE int USING f(a)',
      'CREATE POLICY p ON t USING (f(a))',
      'CREATE VIEW v AS SELECT f()',
      'CREATE FUNCTION g() RETURNS int LANGUAGE sql RETURN f()',
      'CREATE STATISTICS s ON f(a), b FROM t',
      'MERGE INTO t USING u ON f(u.x) WHEN MATCHED AND f(1) THEN UPDATE SET a = f(2)',
      'CALL p(f())',
      'CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW WHEN (f(new.a)) EXECUTE FUNCTION g()',
      'COPY t FROM STDIN WHERE f(a)',
      'COPY (SELECT f()) TO STDOUT',
      'EXPLAIN SELECT f()',
    ]
    expect(texts.length).toBeGreaterThan(40)
    for (const text of texts)
      expect(
        classified(text).unresolvedFunctions.map(({ name }) => name),
        text,
      ).toContain('f')
  })

  it('of a custom function leaves a read SAFE and asks for the catalog', () => {
    expect(classified('SELECT s.customer_tier(points), lower(name) FROM customers')).toMatchObject({
      level: 'SAFE',
      unresolvedFunctions: [{ schema: 's', name: 'customer_tier', argumentCount: 1, form: 'call' }],
    })
  })

  it('of a custom function that only begins like a large-object function is left to the catalog', () => {
    expect(classified('SELECT lo_total(a) FROM t').level).toBe('SAFE')
    expect(classified('SELECT lo_unlink(1)').level).toBe('HIGH')
  })

  it('under plain EXPLAIN raises only for what planning could run', () => {
    expect(classified("EXPLAIN SELECT nextval('s')").level).toBe('SAFE')
    expect(classified("EXPLAIN ANALYZE SELECT nextval('s')").level).toBe('LOW')
    expect(classified("EXPLAIN SELECT table_to_xml('t', true, true, '')").level).toBe('CRITICAL')
  })

  it('with a query as text is judged by the query when it is a literal', () => {
    expect(classified("SELECT * FROM crosstab('SELECT a, b, c FROM t') AS x(a int)").level).toBe('SAFE')
    expect(classified("SELECT * FROM crosstab('DELETE FROM t RETURNING *') AS x(a int)").level).toBe('CRITICAL')
    expect(codes('SELECT * FROM crosstab($1) AS x(a int)')).toContain('hidden-sql')
  })
})

describe('operators and types', () => {
  it('outside pg_catalog are listed', () => {
    const { qualifiedOperators, types } = classified(
      "SELECT 1 OPERATOR(s.+) 2, 3 OPERATOR(pg_catalog.+) 4, a <<% b, 'x'::s.mood, 'y'::mood, 1::int FROM t",
    )
    expect(qualifiedOperators).toEqual([{ schema: 's', name: '+' }, { name: '<<%' }])
    expect(types).toEqual([{ schema: 's', name: 'mood' }, { name: 'mood' }])
  })
})
