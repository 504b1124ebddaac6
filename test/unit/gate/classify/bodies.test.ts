import { beforeAll, describe, expect, it } from 'vitest'
import { loadClassifier } from '#lib/gate/classify/index.ts'
import { classified, codes, targetLines } from '#test/support/classify/classified.ts'

beforeAll(loadClassifier)

const body = (text: string) => `DO $b$ BEGIN ${text} END $b$`

describe('a DO block', () => {
  it('is HIGH even when it does nothing', () => {
    expect(classified(body('NULL;'))).toMatchObject({ level: 'HIGH', operation: 'DO', transaction: 'write' })
  })

  it('shows what it writes, in every kind of statement of the language', () => {
    const writes = [
      'DELETE FROM t;',
      'IF a THEN DELETE FROM t; END IF;',
      'IF a THEN NULL; ELSIF b THEN DELETE FROM t; END IF;',
      'IF a THEN NULL; ELSE DELETE FROM t; END IF;',
      'LOOP DELETE FROM t; EXIT; END LOOP;',
      'WHILE true LOOP DELETE FROM t; END LOOP;',
      'FOR i IN 1..2 LOOP DELETE FROM t; END LOOP;',
      'CASE 1 WHEN 1 THEN DELETE FROM t; ELSE NULL; END CASE;',
      'BEGIN DELETE FROM t; END;',
      'BEGIN NULL; EXCEPTION WHEN others THEN DELETE FROM t; END;',
      'WITH x AS (DELETE FROM t) INSERT INTO u SELECT 1;',
      'PERFORM 1 FROM (SELECT 1) x; DELETE FROM t;',
    ]
    for (const write of writes) {
      expect(targetLines(body(write)), write).toContain('delete t all')
      expect(classified(body(write)).level, write).toBe('CRITICAL')
    }
    expect(writes.length).toBeGreaterThan(10)
  })

  it('shows the functions in its expressions', () => {
    const texts = [
      'DO $b$ DECLARE x int := f(); BEGIN END $b$',
      'DO $b$ DECLARE x int; BEGIN x := f(); END $b$',
      'DO $b$ DECLARE x int; BEGIN x = f(); END $b$',
      'DO $b$ DECLARE x int[]; BEGIN x[f()] := 1; END $b$',
      body('PERFORM f();'),
      body('IF f() THEN NULL; END IF;'),
      body("RAISE NOTICE '%', f();"),
      body('ASSERT f();'),
      body('CALL f();'),
      'DO $b$ DECLARE r record; BEGIN FOR r IN SELECT f() LOOP NULL; END LOOP; END $b$',
      'DO $b$ DECLARE c CURSOR FOR SELECT f(); BEGIN OPEN c; END $b$',
    ]
    for (const text of texts)
      expect(
        classified(text).functions.map(({ name }) => name),
        text,
      ).toContain('f')
    expect(texts.length).toBeGreaterThan(10)
  })

  it('that builds SQL while it runs is CRITICAL and brings nothing back', () => {
    const texts = [
      body("EXECUTE 'DROP TABLE ' || x;"),
      'DO $b$ DECLARE r record; BEGIN FOR r IN EXECUTE x LOOP NULL; END LOOP; END $b$',
      'DO $b$ DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE x; END $b$',
    ]
    for (const text of texts) {
      expect(codes(text)).toContain('dynamic-sql')
      expect(classified(text).recoverability).toBe('impossible')
    }
  })

  it('in another language, or that cannot be parsed, is CRITICAL', () => {
    for (const text of [
      'DO LANGUAGE plpython3u $$ x $$',
      'DO $$ BEGIN SELEC; END $$',
      'DO $$ nothing $$',
      "DO 'BEGIN' ",
    ]) {
      expect(codes(text)).toContain('unreadable-body')
    }
  })

  it('whose body hides characters is CRITICAL', () => {
    expect(codes(body('NULL; -- \u202e'))).toContain('unreadable-body')
  })

  it('that creates a function which builds SQL is CRITICAL', () => {
    const inner = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $i$ BEGIN EXECUTE 'x'; END $i$;"
    expect(codes(body(inner))).toContain('dynamic-sql')
  })
})

describe('CREATE FUNCTION', () => {
  it('counts with the level of its body, and destroys nothing yet', () => {
    const bodies = [
      'CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM t $$',
      'CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM t; END',
      'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; RETURN new; END $$',
      'CREATE PROCEDURE f() LANGUAGE sql AS $$ SELECT 1; DELETE FROM t $$',
    ]
    for (const text of bodies) {
      const { level, targets, recoverability } = classified(text)
      expect(level, text).toBe('CRITICAL')
      expect(
        targets.some(({ isDestructive }) => isDestructive),
        text,
      ).toBe(false)
      expect(recoverability).toBe('nothing-lost')
    }
  })

  it('with a harmless body is HIGH', () => {
    const texts = [
      'CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT a + 1 $$',
      'CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql RETURN a + 1',
      'CREATE FUNCTION f(a s.kind) RETURNS SETOF t LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN QUERY SELECT * FROM t; END $$',
      'CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.x := now(); RETURN new; END $$',
    ]
    expect(texts.map((text) => classified(text).level)).toEqual(texts.map(() => 'HIGH'))
  })

  it('is CRITICAL with the rights of its owner and in a language that leaves the database', () => {
    expect(codes('CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ SELECT 1 $$')).toContain(
      'security-definer',
    )
    expect(codes("CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'lib', 'symbol'")).toContain('unreadable-body')
    expect(codes("CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'pg_terminate_backend'")).toContain(
      'unreadable-body',
    )
    expect(codes('CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS $$ x $$')).toContain('unreadable-body')
    expect(codes('ALTER FUNCTION f() SECURITY DEFINER')).toContain('security-definer')
  })

  it('shows the writes of rules and views without taking them for done', () => {
    expect(classified('CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM u')).toMatchObject({ level: 'CRITICAL' })
    expect(targetLines('CREATE VIEW v AS SELECT * FROM t')).toEqual(['create v', 'read t'])
  })
})
