/** The SQL of docs/deploy.md, run as it stands there, and the product in front of it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { startTestProduct, type TestProduct } from '../support/product.ts'

const PASSWORD = 'the one in the secret'
const SEED = `
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_owner') THEN
      CREATE ROLE shop_owner NOLOGIN; CREATE ROLE rds_iam NOLOGIN;
    END IF;
  END $$;
  CREATE SCHEMA shop AUTHORIZATION shop_owner;
  CREATE SCHEMA payroll;
  SET ROLE shop_owner;
  CREATE TABLE shop.orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, total numeric NOT NULL);
  INSERT INTO shop.orders (total) SELECT i FROM generate_series(1, 40) i;
  RESET ROLE;
  CREATE TABLE payroll.salaries (person text, amount integer);
`

let cluster: Awaited<ReturnType<typeof startCluster>>
let blocks: Readonly<Record<string, string>>
let product: TestProduct

/** Fenced blocks by the word after `sql`. */
function blocksIn(page: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...page.matchAll(/^```sql (\w+)\n(.*?)^```$/gms)].map(([, name, sql]) => [name, sql]))
}

const block = (name: string) => blocks[name] ?? expect.fail(`docs/deploy.md has no block "sql ${name}"`)

/** As somebody who logs in; returns the SQLSTATE that stops it, or the rows. */
async function as(user: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: product.db.urlAs(user, PASSWORD) })
  await client.connect()
  try {
    const result = await client.query(sql)
    return (Array.isArray(result) ? result.at(-1) : result).rows
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    await client.end()
  }
}

beforeAll(async () => {
  cluster = await startCluster()
  blocks = blocksIn(await readFile(join(import.meta.dirname, '..', '..', 'docs', 'deploy.md'), 'utf8'))
  const clusterUrl = cluster.urlFor('postgres')
  // The database's own name is made by the test; everything else is as on the page.
  const inThisDatabase = `DO $run$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO backstop_gateway', current_database()); END $run$;`
  const roles = block('roles').replace('GRANT CREATE ON DATABASE orders TO backstop_gateway;', inThisDatabase)
  expect(roles).toContain(inThisDatabase)
  product = await startTestProduct({
    clusterUrl,
    seedSql: `${SEED}; ${roles}; ${block('secret')}`,
    environment: {
      BACKSTOP_AGENT_ROLE: 'backstop_agent',
      BACKSTOP_SEARCH_PATH: 'shop',
      BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: '1',
    },
    dbUrl: (db) => db.urlAs('backstop_gateway', PASSWORD),
  })
}, 120_000)

afterAll(async () => {
  await product?.stop()
  await cluster?.stop()
})

test('the gateway reads everything, and changes neither what agents have no part in nor the server', async () => {
  expect(await as('backstop_gateway', 'SELECT count(*)::int AS n FROM shop.orders')).toEqual([{ n: 40 }])
  expect(await as('backstop_gateway', 'SELECT count(*)::int AS n FROM payroll.salaries')).toEqual([{ n: 0 }])
  expect(await as('backstop_gateway', 'INSERT INTO payroll.salaries VALUES (1, 1)')).toBe('42501')
  expect(await as('backstop_gateway', 'CREATE ROLE intruder')).toBe('42501')
  expect(await as('backstop_gateway', 'CREATE DATABASE copy')).toBe('42501')
  expect(await as('backstop_gateway', "COPY shop.orders TO PROGRAM 'cat'")).toBe('42501')
})

test('drills have room, sessions are seen, and the gateway ends its own statements', async () => {
  expect(await as('backstop_gateway', 'CREATE SCHEMA scratch; DROP SCHEMA scratch; SELECT 1 AS done')).toEqual([
    { done: 1 },
  ])
  expect(await as('backstop_gateway', "SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS sees")).toEqual([
    { sees: true },
  ])
  // One that is the test's alone: of the product's own, a cancellation may come late and hit the next statement.
  const other = new Client({ connectionString: product.db.urlAs('backstop_gateway', PASSWORD) })
  await other.connect()
  const pid = (await other.query('SELECT pg_backend_pid() AS pid')).rows[0]?.pid
  expect(await as('backstop_gateway', `SELECT pg_cancel_backend(${pid}) AS may`)).toEqual([{ may: true }])
  await other.end()
})

test('agents work in their schema, see no other, and can neither log in nor change tables', async () => {
  const agent = (sql: string) => as('backstop_gateway', `SET ROLE backstop_agent; ${sql}`)
  expect(
    await agent('INSERT INTO shop.orders (total) VALUES (1); DELETE FROM shop.orders WHERE id = 41; SELECT 1 AS done'),
  ).toEqual([{ done: 1 }])
  expect(await agent('SELECT * FROM payroll.salaries')).toBe('42501')
  expect(await agent('DROP TABLE shop.orders')).toBe('42501')
  expect(await agent('TRUNCATE shop.orders')).toBe('42501')
  expect(await agent('SET ROLE shop_owner')).toBe('42501')
  expect(await agent('CREATE TABLE shop.more ()')).toBe('42501')
  expect(await product.db.run("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'backstop_agent'")).toEqual([
    { rolcanlogin: false },
  ])
})

test("tables that are made later are the agents' too, when the administrator makes them", async () => {
  await product.db.run('CREATE TABLE shop.later (id integer)')
  expect(await as('backstop_gateway', 'SET ROLE backstop_agent; SELECT * FROM shop.later')).toEqual([])
  await product.db.run('DROP TABLE shop.later')
})

test('through the product: reads run, a DELETE without WHERE is held, and after an approval it runs', async () => {
  expect(await product.query('SELECT count(*) FROM orders')).toMatchObject({ status: 'executed' })
  const held = await product.query('DELETE FROM orders')
  expect(held).toMatchObject({ status: 'approval_required', risk_level: 'CRITICAL' })
  expect((await product.call('operator', 'POST', `/approve/${held.approval_id}`, {})).status).toBe(200)
  expect(await product.query('DELETE FROM orders', { approval_id: held.approval_id })).toMatchObject({
    status: 'executed',
    rows_affected: 40,
  })
})

test('what PostgreSQL refuses to agents stays refused after an approval, and works as a member of the owner', async () => {
  const attempt = async () => {
    const held = await product.query('DROP TABLE orders')
    expect(held.status).toBe('approval_required')
    await product.call('operator', 'POST', `/approve/${held.approval_id}`, {})
    return product.query('DROP TABLE orders', { approval_id: held.approval_id })
  }
  expect(await attempt()).toMatchObject({ status: 'failed' })
  await product.db.run(block('ddl'))
  expect(await attempt()).toMatchObject({ status: 'executed' })
})

test('IAM authentication is one grant more', async () => {
  await product.db.run(block('iam'))
  expect(await product.db.run("SELECT pg_has_role('backstop_gateway', 'rds_iam', 'MEMBER') AS may")).toEqual([
    { may: true },
  ])
})
