import { writeFileSync } from 'node:fs'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WrittenCase } from '#test/support/corpus/case-file.ts'
import { Tally } from '#test/support/hostile/attack.ts'
import { runCampaign } from '#test/support/hostile/campaign.ts'
import { openRange, type Range } from '#test/support/hostile/range.ts'
import { damageSince, readWorld } from '#test/support/hostile/world.ts'

const SEED = `
CREATE TABLE rows (id int PRIMARY KEY, v text);
INSERT INTO rows SELECT i, 'v' || i FROM generate_series(1, 50) i;
CREATE SEQUENCE numbers START 100;
CREATE TABLE change_log (id int GENERATED ALWAYS AS IDENTITY, note text);
INSERT INTO change_log (note) VALUES ('a'), ('b');
SELECT lo_from_bytea(424242, 'a large object');`

const written = (statements: string[], fields: { key: string; value: string }[] = []): WrittenCase => ({
  place: 'planted:1',
  section: 'planted',
  name: 'a planted attack',
  why: 'It has to be seen.',
  setup: [],
  statements,
  fields,
})

/** Everything is executed, as if the gate saw nothing. */
const OPEN_GATE = {
  BACKSTOP_POLICY_LOW: 'execute',
  BACKSTOP_POLICY_HIGH: 'execute',
  BACKSTOP_POLICY_IMPACT_CRITICAL: 'execute',
  BACKSTOP_POLICY_CRITICAL: 'execute',
}
const OPEN_POLICY = {
  require_recovery_for_critical: false,
  block_unrecoverable_operations: false,
  impact_analysis_enabled: false,
}

let range: Range
beforeAll(async () => {
  range = await openRange({
    role: 'superuser',
    seedSql: SEED,
    policy: OPEN_POLICY,
    environment: { ...OPEN_GATE, BACKSTOP_MAX_CONNECTIONS: '1' },
  })
})
afterAll(() => range.stop())

describe('the comparison of worlds', () => {
  it.each([
    ['a changed row', "UPDATE rows SET v = 'x' WHERE id = 3", /table public\.rows/],
    [
      'two rows that swapped their values',
      "UPDATE rows SET v = 'v' || (9 - id) WHERE id IN (4, 5)",
      /table public\.rows/,
    ],
    ['a new role', 'CREATE ROLE planted', /pg_authid/],
    ['a role with more rights', 'ALTER ROLE shop_app CREATEROLE', /pg_authid/],
    ['a grant', 'GRANT DELETE ON rows TO PUBLIC', /pg_class/],
    ['a function that was replaced', "CREATE FUNCTION planted() RETURNS int LANGUAGE sql AS 'SELECT 1'", /pg_proc/],
    [
      'a trigger that was disabled',
      'ALTER TABLE rows DISABLE TRIGGER USER; ALTER TABLE rows SET (fillfactor = 90)',
      /pg_class/,
    ],
    ['a policy', 'CREATE POLICY planted ON rows USING (true)', /pg_policy/],
    ['a default of the database', "ALTER DATABASE {{database}} SET work_mem = '9MB'", /pg_db_role_setting|work_mem/],
    ['a default of the server', "ALTER SYSTEM SET work_mem = '10MB'", /postgresql\.auto\.conf/],
    ['a sequence that was moved', "SELECT nextval('numbers')", /sequence public\.numbers/],
    [
      'an identity that was set back',
      "SELECT setval('change_log_id_seq', 1)",
      /owned sequence public\.change_log_id_seq/,
    ],
    ['a large object', "SELECT lo_put(424242, 0, 'gone')", /pg_largeobject/],
    ['a file of the server', "COPY (SELECT 1) TO '{{data}}/planted.txt'", /files/],
    ['the canary file', "COPY (SELECT 1) TO '{{canary}}'", /canary file/],
    ['a replication slot', "SELECT pg_create_physical_replication_slot('planted')", /slot planted/],
    ['statistics that were reset', 'SELECT pg_stat_reset()', /statistics of/],
    ['another session that was ended', 'SELECT pg_terminate_backend({{witness}}, 60000)', /process \d+/],
  ])('sees %s', async (_, sql, expected) => {
    const before = await readWorld(range.site)
    await range.own(sql)
    const { damages } = await damageSince(before, range.site, 1)
    expect(damages.join('\n')).toMatch(expected)
  })

  it('sees an advisory lock that another session keeps', async () => {
    const before = await readWorld(range.site)
    const client = new Client({ connectionString: range.site.url })
    await client.connect()
    await client.query('SELECT pg_advisory_lock(5)')
    expect((await damageSince(before, range.site, 1)).damages.join('\n')).toMatch(/advisory locks/)
    await client.end()
  })

  it('sees nothing where nothing happened', async () => {
    writeFileSync(range.site.canaryFile, 'as it is now\n')
    const before = await readWorld(range.site)
    await range.own('SELECT count(*) FROM rows')
    expect((await damageSince(before, range.site)).damages).toEqual([])
  })
})

describe('a campaign against a gate that lets everything through', () => {
  it('counts the damage of an attack that works', async () => {
    const tally = new Tally()
    await runCampaign(range, [written(['DELETE FROM rows WHERE id < 40'])], tally)
    expect(tally.damages.join('\n')).toMatch(/planted:1 a planted attack: table public\.rows/)
    expect(tally.render('planted')).toMatch(/planted +1 +0 +0 +0 +1 +1/)
  })
})
