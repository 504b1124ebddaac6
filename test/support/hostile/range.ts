/** A running product on a cluster of its own, with canaries, for attacks through HTTP. */
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cluster, startCluster } from '#lib/adapters/embedded/index.ts'
import { openWitness, type Witness } from '#test/support/corpus/witness.ts'
import { PATIENT_LIMITS } from '#test/support/patient-limits.ts'
import { type Caller, type Reply, startTestProduct, type TestProduct } from '#test/support/product.ts'
import type { Site } from './world.ts'

export type AttackRole = 'ordinary' | 'superuser'

export interface Range {
  readonly product: TestProduct
  readonly site: Site
  /** Send one statement as an agent. */
  attack(sql: string, extra?: Record<string, unknown>, caller?: Caller): Promise<Reply>
  /** Run set-up or look as the superuser, placeholders filled. */
  own(sql: string): Promise<Record<string, unknown>[]>
  /** Fill `{{connection}}`, `{{password}}`, `{{port}}`, `{{database}}`, `{{witness}}`, `{{canary}}`, `{{data}}` and `{{role}}`. */
  fill(text: string): string
  /** True while the other session that must survive is in its query. */
  isWitnessAlive(): Promise<boolean>
  /** Deny everything that waits. */
  denyPending(): Promise<number>
  stop(): Promise<void>
}

export interface RangeOptions {
  readonly role: AttackRole
  readonly seedSql: string
  readonly policy?: Record<string, unknown>
  readonly environment?: Record<string, string>
}

export const APP_ROLE = 'shop_app'
const APP_PASSWORD = 'only-for-this-test'
export const CANARY_TEXT = 'CANARY-6f0d2c1b'

/** An application's usual role: it owns its tables and functions, and is no superuser. */
const OWN_BY_APP = `
CREATE ROLE ${APP_ROLE} LOGIN PASSWORD '${APP_PASSWORD}';
GRANT ALL ON SCHEMA public TO ${APP_ROLE};
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT c.oid::regclass AS name, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^(pg_|information_schema)'
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('ALTER %s %s OWNER TO ${APP_ROLE}',
      CASE one.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, one.name);
  END LOOP;
  FOR one IN SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)' LOOP
    EXECUTE format('GRANT ALL ON SCHEMA %I TO ${APP_ROLE}', one.name);
    EXECUTE format('GRANT ALL ON ALL SEQUENCES IN SCHEMA %I TO ${APP_ROLE}', one.name);
  END LOOP;
END $$;`

/** Where nothing is to run out of time; without them statements and locks have the short times that attacks are given. */
export const PATIENT_TIMES = { BACKSTOP_STATEMENT_TIMEOUT_MS: '30000', ...PATIENT_LIMITS } as const

/** Nobody is quarantined for trying again, so that each attack is judged for what it is. */
const PATIENT_POLICY = { max_blocked_attempts_per_window: 1_000_000, require_sidecar_heartbeat: false }

function writeCanary(folder: string): string {
  const path = join(folder, 'canary.txt')
  writeFileSync(path, `${CANARY_TEXT}\n`)
  chmodSync(folder, 0o777)
  chmodSync(path, 0o666)
  if (process.getuid?.() === 0) chownSync(path, 65_534, 65_534)
  return path
}

/** No checkpoint by the clock: it makes files and changes slots between two looks. */
const SETTINGS = {
  autovacuum: 'off',
  wal_level: 'logical',
  max_prepared_transactions: '5',
  max_connections: '50',
  checkpoint_timeout: '1d',
}

/** Start cluster, shop and product. */
export async function openRange(options: RangeOptions): Promise<Range> {
  const cluster = await startCluster({ settings: SETTINGS })
  const folder = mkdtempSync(join(tmpdir(), 'backstop-range-'))
  const policyPath = join(folder, 'policy.json')
  writeFileSync(policyPath, JSON.stringify({ ...PATIENT_POLICY, ...options.policy }))
  const product = await startTestProduct({
    seedSql: options.seedSql + OWN_BY_APP,
    clusterUrl: cluster.urlFor('postgres'),
    environment: {
      BACKSTOP_POLICY: policyPath,
      BACKSTOP_STATEMENT_TIMEOUT_MS: '3000',
      BACKSTOP_LOCK_TIMEOUT_MS: '1500',
      BACKSTOP_MAX_CONNECTIONS: '3',
      ...options.environment,
    },
    ...(options.role === 'ordinary' ? { dbUrl: (db) => db.urlAs(APP_ROLE, APP_PASSWORD) } : {}),
  })
  const witness = await openWitness(product.db.url)
  const site = { url: product.db.url, dataFolder: cluster.dataFolder, canaryFile: writeCanary(folder) }
  return rangeOf(options.role, cluster, product, site, witness, folder)
}

function rangeOf(
  role: AttackRole,
  cluster: Cluster,
  product: TestProduct,
  site: Site,
  witness: Witness,
  folder: string,
): Range {
  const user = role === 'superuser' ? 'postgres' : APP_ROLE
  const password = role === 'superuser' ? decodeURIComponent(new URL(site.url).password) : APP_PASSWORD
  const connection = `host=${cluster.host} port=${cluster.port} dbname=${product.db.name} user=${user} password=${password}`
  const values: Record<string, string> = {
    connection,
    password,
    port: String(cluster.port),
    database: product.db.name,
    witness: String(witness.pid),
    canary: site.canaryFile,
    data: site.dataFolder,
    role: user,
  }
  const fill = (text: string) => text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole)
  return {
    product,
    site,
    fill,
    attack: (sql, extra = {}, caller = 'agent') =>
      product.call(caller, 'POST', '/', {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'execute_query', arguments: { query: fill(sql), agent_id: 'tester', ...extra } },
      }),
    own: (sql) => product.db.run(fill(sql)),
    isWitnessAlive: async () => {
      const rows = await product.db.run(
        `SELECT FROM pg_stat_activity WHERE pid = ${witness.pid} AND query ~ 'pg_sleep'`,
      )
      return rows.length === 1
    },
    denyPending: () => denyPending(product),
    stop: async () => {
      await witness.end()
      await product.stop()
      await cluster.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function denyPending(product: TestProduct): Promise<number> {
  const { body } = await product.call('operator', 'GET', '/pending')
  for (const { id } of body.pending) await product.call('operator', 'POST', `/deny/${id}`, {})
  return body.pending.length
}
