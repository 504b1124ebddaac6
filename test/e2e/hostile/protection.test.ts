import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outcomeOf } from '#test/support/hostile/attack.ts'
import { type AttackRole, openRange, PATIENT_TIMES, type Range } from '#test/support/hostile/range.ts'

const SEED = `
CREATE TABLE people (id int PRIMARY KEY, name text, card text,
  seen text GENERATED ALWAYS AS (lower(card)) VIRTUAL, kept text GENERATED ALWAYS AS ('k' || card) STORED);
INSERT INTO people SELECT i, 'n' || i, 'CARD-4111-' || i % 5 FROM generate_series(1, 200) i;
CREATE TABLE vault (id int, secret text);
ALTER TABLE vault ALTER secret SET STORAGE EXTERNAL;
INSERT INTO vault SELECT i, repeat('CARD-VAULT', 1000) FROM generate_series(1, 20) i;
CREATE TABLE events (id int, region text, token text) PARTITION BY LIST (region);
CREATE TABLE events_eu PARTITION OF events FOR VALUES IN ('eu');
CREATE TABLE wide (id int, region text) PARTITION BY LIST (region);
CREATE TABLE wide_eu PARTITION OF wide FOR VALUES IN ('eu');
CREATE TABLE payrolls (id int, note text);
CREATE TABLE payrolls_old (salary text) INHERITS (payrolls);
INSERT INTO events SELECT i, 'eu', 'CARD-' || i FROM generate_series(1, 40) i;
CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db.internal');
ANALYZE;`

const POLICY = {
  protected_tables: ['events', 'vault', 'wide_eu'],
  protected_columns: { people: ['card'], payrolls: ['note'] },
}

describe.each<AttackRole>(['ordinary', 'superuser'])('protected data, by an agent as %s', (role) => {
  let range: Range
  beforeAll(async () => {
    range = await openRange({ role, seedSql: SEED, policy: POLICY, environment: PATIENT_TIMES })
    await range.own(
      `CREATE USER MAPPING FOR {{role}} SERVER far OPTIONS (user 'u', password 'CARD-MAPPED');
       GRANT USAGE ON FOREIGN SERVER far TO {{role}}`,
    )
  })
  afterAll(() => range.stop())

  const READS = [
    "SELECT most_common_vals FROM pg_stats WHERE tablename = 'people'",
    'SELECT s.histogram_bounds::text FROM pg_catalog.pg_stats AS s',
    'TABLE pg_stats',
    "SELECT stavalues1 FROM pg_statistic WHERE starelid = 'people'::regclass",
    'SELECT to_jsonb(s) FROM pg_statistic s',
    'SELECT * FROM pg_stats_ext',
    'SELECT option_value FROM information_schema.user_mapping_options',
    'SELECT umoptions FROM information_schema._pg_user_mappings',
    'SELECT token FROM events_eu',
    "UPDATE events_eu SET region = 'eu' WHERE id = 2 RETURNING token",
    'DELETE FROM events_eu WHERE id = 3',
    'SELECT count(*) FROM wide',
    'SELECT note FROM payrolls_old',
    'SELECT seen FROM people',
    'SELECT p.kept FROM people p WHERE id = 1',
  ]
  it.each(READS)('is not reached by %s', async (sql) => {
    const reply = await range.attack(sql)
    expect(reply.body.result).toMatchObject({ status: 'approval_required' })
    expect(JSON.stringify(reply.body)).not.toContain('CARD-4111')
  })

  it('is not reached by way of its storage', async () => {
    const [toast] = await range.own("SELECT reltoastrelid::regclass AS name FROM pg_class WHERE relname = 'vault'")
    const reply = await range.attack(`SELECT convert_from(chunk_data, 'UTF8') FROM ${toast?.['name']} LIMIT 1`)
    expect(outcomeOf(reply)).not.toBe('ran-harmless')
    expect(JSON.stringify(reply.body)).not.toContain('CARD-VAULT')
  })

  it('does not hold statistics that show no values', async () => {
    const reply = await range.attack("SELECT attname, n_distinct, null_frac FROM pg_stats WHERE tablename = 'people'")
    expect(reply.body.result).toMatchObject({ status: 'executed' })
  })

  const QUESTIONS = [
    "DELETE FROM people WHERE card LIKE 'CARD-4111-1%'",
    "UPDATE people SET name = 'x' WHERE card = 'CARD-4111-1'",
    "UPDATE people SET name = 'x' WHERE id < 190 OR card = 'CARD-4111-1'",
  ]
  it.each(QUESTIONS)('does not tell by a count what %s finds', async (sql) => {
    const empty = { estimated_affected_rows: null, affected_percent: null, impact_method: 'unknown' }
    const reply = await range.attack(sql)
    const { status, approval_id, safety_metadata } = reply.body.result
    expect({ status, ...safety_metadata }).toMatchObject({ status: 'approval_required', ...empty })
    expect(JSON.stringify(reply.body)).not.toMatch(/over-threshold|reaches \d/)
    const analyzed = await range.product.call('agent', 'POST', '/', {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'analyze_query', arguments: { query: sql, agent_id: 'tester' } },
    })
    expect(analyzed.body.result.safety_metadata).toMatchObject(empty)
    const asked = await range.product.call('agent', 'GET', `/approvals/${approval_id}`)
    expect(asked.body.safety_metadata).toMatchObject({ ...empty, max_rows: null })
    const shown = await range.product.call('operator', 'GET', `/approvals/${approval_id}`)
    expect(shown.body.safety_metadata.estimated_affected_rows).toBeGreaterThan(30)
  })
})
