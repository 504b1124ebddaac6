import { beforeAll, describe, expect, it } from 'vitest'
import { classify, loadClassifier, MAX_STATEMENT_BYTES } from '#lib/gate/classify/index.ts'
import { classified, codes, refused, targetLines } from '#test/support/classify/classified.ts'

beforeAll(loadClassifier)

describe('the holes of the predecessor that the text alone must close', () => {
  it('1: a data-modifying CTE is a write, also under EXPLAIN ANALYZE and before an INSERT', () => {
    expect(classified('WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d').level).toBe('CRITICAL')
    expect(classified('EXPLAIN ANALYZE WITH d AS (DELETE FROM t) SELECT 1').level).toBe('CRITICAL')
    expect(targetLines('WITH d AS (DELETE FROM o RETURNING *) INSERT INTO archive SELECT * FROM d')).toEqual([
      'delete o all',
      'insert archive',
    ])
  })

  it('2: SELECT INTO, row locks and functions with side effects are never SAFE', () => {
    const texts = [
      'SELECT * INTO x FROM t',
      'SELECT * FROM t FOR UPDATE',
      'SELECT pg_terminate_backend(1)',
      "SELECT lo_import('/etc/passwd')",
      "SELECT setval('s', 1)",
      "SELECT dblink_exec('c', 'DROP TABLE t')",
      "SELECT query_to_xml('DELETE FROM t', true, true, '')",
      "SELECT set_config('role', 'postgres', false)",
      "SELECT * FROM pg_read_file('/etc/passwd')",
    ]
    expect(texts.map((text) => classified(text).level)).not.toContain('SAFE')
  })

  it('3: what changes the session or the transaction is never run', () => {
    const texts = ['SET role x', 'RESET ALL', 'BEGIN', 'COMMIT', 'SET search_path = x', 'SET SESSION AUTHORIZATION x']
    expect(texts.map((text) => classified(text).transaction)).toEqual(texts.map(() => 'never'))
  })

  it('4: a tautology is no WHERE', () => {
    for (const where of ['true', '1=1', 'id=id']) {
      expect(classified(`DELETE FROM t WHERE ${where}`).level).toBe('CRITICAL')
    }
  })

  it('6: columns come from the tree and not from the text', () => {
    const columns = classified("UPDATE t SET a = 'where', /* set c */ b = 1 WHERE id = 1").columns
    expect(columns.filter(({ access }) => access === 'write').map(({ name }) => name)).toEqual(['a', 'b'])
  })

  it('7: ALTER TABLE is judged by what it does', () => {
    const commands = ['DROP COLUMN a', 'ALTER a TYPE int', 'DISABLE TRIGGER ALL', 'DISABLE ROW LEVEL SECURITY']
    expect(commands.map((command) => classified(`ALTER TABLE t ${command}`).level)).toEqual(
      commands.map(() => 'CRITICAL'),
    )
    expect(classified('ALTER TABLE s.t DROP COLUMN a').recoverability).toBe('tables')
    expect(targetLines('ALTER TABLE s.t DROP COLUMN a')).toEqual(['alter s.t'])
  })

  it('8: DO, CALL and COPY PROGRAM say what they run', () => {
    expect(targetLines('DO $$ BEGIN DELETE FROM t; END $$')).toEqual(['delete t all'])
    expect(classified('CALL p(1)').functions).toEqual([{ name: 'p', argumentCount: 1, form: 'procedure' }])
    expect(classified("COPY t TO PROGRAM 'sh'")).toMatchObject({ level: 'CRITICAL', recoverability: 'impossible' })
  })

  it('9: CASCADE is seen', () => {
    for (const text of ['DROP TABLE t CASCADE', 'TRUNCATE t CASCADE']) {
      expect(classified(text).targets[0]).toMatchObject({ isCascade: true, isDestructive: true })
      expect(codes(text)).toContain('cascade')
    }
  })

  it('10: tables of one name in two schemas stay two', () => {
    expect(targetLines('DROP TABLE s1.t, s2.t')).toEqual(['drop s1.t all', 'drop s2.t all'])
  })

  it('11: one request is one statement, and every operation in it is named', () => {
    expect(refused('UPDATE t SET a=1; INSERT INTO t VALUES (1)').code).toBe('MULTIPLE_STATEMENTS')
    expect(classified('WITH d AS (DELETE FROM t) SELECT 1').operations).toEqual(['SELECT', 'DELETE'])
  })

  it('12: maintenance, rights and comments are HIGH and not refused', () => {
    const texts = ['VACUUM t', 'GRANT SELECT ON t TO x', "COMMENT ON TABLE t IS 'x'", 'ALTER TABLE t RENAME TO u']
    expect(texts.map((text) => classified(text).level)).toEqual(texts.map(() => 'HIGH'))
    expect(classified('VACUUM t').transaction).toBe('outside')
  })

  it('13: DDL, COPY and ALTER name their tables', () => {
    const texts = ['CREATE TABLE t(a int)', 'COPY t FROM STDIN', 'CREATE INDEX ON t(a)', 'REFRESH MATERIALIZED VIEW t']
    expect(texts.map((text) => classified(text).targets[0]?.object.name)).toEqual(texts.map(() => 't'))
  })
})

describe('classify', () => {
  it('refuses what is not exactly one statement', () => {
    const texts = ['', ' \n', '-- nothing', '/* */ ;', ';', 'SELECT 1; SELECT 2', 'SELEC 1', "SELECT 'a", 'SELECT 1 /*']
    expect(texts.map((text) => refused(text).code)).toEqual([
      ...Array.from({ length: 5 }, () => 'EMPTY'),
      'MULTIPLE_STATEMENTS',
      ...Array.from({ length: 3 }, () => 'PARSE_FAILURE'),
    ])
    expect(refused('')).toMatchObject({ level: 'SAFE' })
    expect(refused('SELEC 1')).toMatchObject({ level: 'CRITICAL', position: 1 })
  })

  it('keeps the text out of the message of a syntax error', () => {
    const refusal = refused("SELECT * FORM t WHERE secret = 's3cret' s3cret")
    expect(refusal.message).not.toMatch(/s3cret|FORM/)
  })

  it('accepts the longest statement and refuses one byte more', () => {
    const text = `SELECT '${'x'.repeat(MAX_STATEMENT_BYTES - 9)}'`
    expect(Buffer.byteLength(text)).toBe(MAX_STATEMENT_BYTES)
    expect(classify(text).ok).toBe(true)
    expect(refused(`${text} `.replace(' ', '  ')).code).toBe('TOO_LONG')
    expect(refused(`SELECT '${'é'.repeat(MAX_STATEMENT_BYTES / 2)}'`).code).toBe('TOO_LONG')
  })

  it('names EXPLAIN ANALYZE together with what it runs, and takes ANALYZE false at its word', () => {
    expect(classified('EXPLAIN ANALYZE DELETE FROM t WHERE a=1')).toMatchObject({
      operation: 'EXPLAIN ANALYZE DELETE',
      level: 'LOW',
      transaction: 'write',
    })
    expect(classified('EXPLAIN (ANALYZE false) DELETE FROM t')).toMatchObject({ operation: 'EXPLAIN', level: 'SAFE' })
    expect(classified('EXPLAIN (ANALYZE, VERBOSE) SELECT 1').level).toBe('SAFE')
    expect(classified('EXPLAIN (ANALYZE) EXECUTE p')).toMatchObject({ level: 'CRITICAL', transaction: 'never' })
    expect(targetLines('EXPLAIN DELETE FROM t')).toEqual(['read t'])
  })

  it('says which statements run outside a transaction', () => {
    const texts = [
      'VACUUM',
      'CREATE INDEX CONCURRENTLY i ON t(a)',
      'DROP INDEX CONCURRENTLY i',
      'REINDEX TABLE CONCURRENTLY t',
      'REINDEX DATABASE d',
      "ALTER SYSTEM SET work_mem = '1GB'",
      'CREATE DATABASE d',
      'DROP DATABASE d',
      'CLUSTER',
      'ALTER TABLE t DETACH PARTITION p CONCURRENTLY',
      "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
    ]
    expect(texts.map((text) => classified(text).transaction)).toEqual(texts.map(() => 'outside'))
    expect(classified('REINDEX TABLE t').transaction).toBe('write')
  })

  it('says what table snapshots bring back', () => {
    const recoverability = (text: string) => classified(text).recoverability
    expect(['DROP TABLE t', 'TRUNCATE t', 'DELETE FROM t', 'ALTER TABLE t DROP a'].map(recoverability)).toEqual(
      Array.from({ length: 4 }, () => 'tables'),
    )
    expect(
      ['DROP SCHEMA s', 'DROP DATABASE d', 'DROP OWNED BY x', 'DROP VIEW v', 'DROP TYPE x CASCADE'].map(recoverability),
    ).toEqual(Array.from({ length: 5 }, () => 'impossible'))
    expect(['SELECT 1', 'INSERT INTO t VALUES (1)', 'CREATE TABLE t()'].map(recoverability)).toEqual(
      Array.from({ length: 3 }, () => 'nothing-lost'),
    )
  })

  it('knows which statements answer with rows', () => {
    const texts = [
      'SELECT 1',
      'VALUES (1)',
      'TABLE t',
      'SHOW x',
      'EXPLAIN SELECT 1',
      'DELETE FROM t WHERE a=1 RETURNING a',
    ]
    expect(texts.map((text) => classified(text).returnsRows)).toEqual(texts.map(() => true))
    const others = ['SELECT 1 INTO x', 'INSERT INTO t VALUES (1)', 'COPY t TO STDOUT', 'CREATE TABLE x AS SELECT 1']
    expect(others.map((text) => classified(text).returnsRows)).toEqual(others.map(() => false))
  })

  it('gives equal fingerprints to statements that differ only in literals, spaces and case', () => {
    const print = (text: string) => classified(text).fingerprint
    expect(print('select * from t where a = 1')).toBe(print("SELECT *  FROM t /* x */ WHERE a = 'b'"))
    expect(print('select * from t where a = 1')).not.toBe(print('select * from t where b = 1'))
  })

  it('treats writes to the system catalogs as CRITICAL', () => {
    const texts = [
      'DELETE FROM pg_proc WHERE oid=1',
      'UPDATE pg_catalog.pg_class SET relname=1 WHERE oid=1',
      'DROP TABLE pg_class',
    ]
    expect(texts.map((text) => classified(text).level)).toEqual(texts.map(() => 'CRITICAL'))
    expect(classified('SELECT * FROM pg_catalog.pg_class').level).toBe('SAFE')
  })

  it('sees INTO and locks in the parts of a set operation', () => {
    expect(classified('SELECT 1 AS a INTO x UNION SELECT 2')).toMatchObject({
      operation: 'SELECT INTO',
      returnsRows: false,
    })
    expect(targetLines('SELECT 1 AS a INTO x UNION SELECT 2')).toEqual(['create x'])
    expect(classified('(SELECT 1 FROM t FOR UPDATE) UNION ALL SELECT 2').level).toBe('HIGH')
  })

  it('takes a change to unlimited text for no loss, and any other change of type for one', () => {
    const [toText, toInteger] = ['text', 'int'].map((type) => classified(`ALTER TABLE t ALTER a TYPE ${type}`))
    expect(toText).toMatchObject({ level: 'HIGH', recoverability: 'nothing-lost', targets: [{ isDestructive: false }] })
    expect(toInteger).toMatchObject({ level: 'CRITICAL', recoverability: 'tables', targets: [{ isDestructive: true }] })
    expect(classified('ALTER TABLE t ALTER a TYPE text USING left(a, 3)').level).toBe('CRITICAL')
  })

  it('names a partition that comes or goes', () => {
    expect(targetLines('ALTER TABLE t DETACH PARTITION p')).toEqual(['alter t', 'alter p'])
  })

  it('never runs what makes a temporary object', () => {
    const texts = [
      'CREATE TEMP TABLE t(a int)',
      'CREATE TABLE pg_temp.t(a int)',
      'CREATE TEMP VIEW v AS SELECT 1',
      'SELECT 1 INTO TEMP x',
    ]
    expect(texts.map((text) => classified(text).transaction)).toEqual(texts.map(() => 'never'))
  })
})
