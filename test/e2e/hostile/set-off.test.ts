import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AttackRole, openRange, PATIENT_TIMES, type Range } from '#test/support/hostile/range.ts'

const ROWS = 'SELECT i, 0 FROM generate_series(1, 100) i'
const SEED = `
CREATE FUNCTION kill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(1234567); RETURN NULL; END $$;
CREATE TABLE victims (id int PRIMARY KEY, v int); INSERT INTO victims ${ROWS};
CREATE TABLE parents (id int PRIMARY KEY, v int); INSERT INTO parents ${ROWS};
CREATE TABLE children (id int, p int REFERENCES parents ON DELETE CASCADE); INSERT INTO children SELECT i, i FROM generate_series(1, 100) i;
CREATE TRIGGER t AFTER DELETE ON children FOR EACH ROW EXECUTE FUNCTION kill();
CREATE TABLE behind (id int PRIMARY KEY, v int); INSERT INTO behind ${ROWS};
CREATE VIEW front AS SELECT * FROM behind;
CREATE TRIGGER t AFTER DELETE ON behind FOR EACH ROW EXECUTE FUNCTION kill();
CREATE TABLE ruled (id int PRIMARY KEY, v int); INSERT INTO ruled ${ROWS};
CREATE RULE r AS ON DELETE TO ruled DO ALSO SELECT pg_terminate_backend(1234567);
CREATE TABLE chained (id int PRIMARY KEY, v int); INSERT INTO chained ${ROWS};
CREATE FUNCTION chain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM behind WHERE id = OLD.id; RETURN NULL; END $$;
CREATE TRIGGER t AFTER DELETE ON chained FOR EACH ROW EXECUTE FUNCTION chain();
CREATE TABLE rule_chained (id int PRIMARY KEY, v int); INSERT INTO rule_chained ${ROWS};
CREATE RULE r AS ON DELETE TO rule_chained DO ALSO DELETE FROM chained WHERE id = OLD.id;
CREATE TABLE shown (id int PRIMARY KEY, v int); INSERT INTO shown ${ROWS};
CREATE VIEW moving AS SELECT * FROM shown;
CREATE TABLE unruled (id int PRIMARY KEY, v int); INSERT INTO unruled ${ROWS};
CREATE TABLE logged (id int PRIMARY KEY, v int); INSERT INTO logged ${ROWS};
CREATE TABLE log (id int, at timestamptz DEFAULT now());
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (id) VALUES (OLD.id); RETURN NULL; END $$;
CREATE TRIGGER t AFTER DELETE ON logged FOR EACH ROW EXECUTE FUNCTION note();
CREATE TABLE loops (id int PRIMARY KEY, v int); INSERT INTO loops ${ROWS};
CREATE FUNCTION loop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE loops SET v = v + 1 WHERE id = OLD.id AND v < 0; RETURN NULL; END $$;
CREATE TRIGGER t AFTER DELETE OR UPDATE ON loops FOR EACH ROW EXECUTE FUNCTION loop();`

describe.each<AttackRole>(['ordinary', 'superuser'])('what a small write sets off, by an agent as %s', (role) => {
  let range: Range
  beforeAll(async () => {
    range = await openRange({ role, seedSql: SEED, environment: PATIENT_TIMES })
  })
  afterAll(() => range.stop())

  const query = async (sql: string, extra: Record<string, unknown> = {}) => (await range.attack(sql, extra)).body.result

  it.each(['behind', 'parents', 'front', 'ruled', 'chained', 'rule_chained'])(
    'is held where deleting from %s ends another session',
    async (name) => {
      expect(await query(`DELETE FROM ${name} WHERE id = 5`)).toMatchObject({ status: 'approval_required' })
    },
  )

  it.each([
    'DELETE FROM logged WHERE id = 5',
    'DELETE FROM loops WHERE id = 5',
    'INSERT INTO parents VALUES (501)',
    'UPDATE parents SET v = 1 WHERE id = 7',
    'DELETE FROM victims WHERE id = 100',
  ])('is done where it stays in the transaction: %s', async (sql) => {
    expect(await query(sql)).toMatchObject({ status: 'executed' })
  })

  it.each([
    ['moving', 'CREATE OR REPLACE VIEW moving AS SELECT * FROM victims'],
    ['unruled', 'CREATE RULE r AS ON DELETE TO unruled DO INSTEAD DELETE FROM victims WHERE id = OLD.id'],
  ])('is not what was approved when %s has come to mean another table', async (name, change) => {
    const sql = `DELETE FROM ${name} WHERE id < 70`
    const held = await query(sql)
    await range.product.call('operator', 'POST', `/approve/${held.approval_id}`, {})
    await range.own(change)
    const answer = await query(sql, { approval_id: held.approval_id })
    expect(answer).toMatchObject({ status: 'denied', message: expect.stringContaining('relations') })
    expect(await range.own('SELECT count(*)::int AS n FROM victims')).toEqual([{ n: 99 }])
  })

  it('shows an approver the values of parameters', async () => {
    const parameters = [95, 'x'.repeat(3_000), true, null]
    const held = await query('DELETE FROM shown WHERE id < $1 AND $2 > $3::text AND $4::int IS NULL', { parameters })
    const shown = await range.product.call('operator', 'GET', `/approvals/${held.approval_id}`)
    expect(shown.body.parameters).toMatchObject([95, expect.stringContaining('[cut: 3000 characters]'), true, null])
  })
})
