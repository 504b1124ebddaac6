/** What the guarded database holds before the first statement: the shop, the gateway's role and the agents' role. */
import { randomBytes } from 'node:crypto'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { seedShop } from '#lib/cli/shop/index.ts'

export const AGENT_ROLE = 'shop_agent'
const GATEWAY_ROLE = 'backstop_gateway'

export interface GatewayLogin {
  readonly username: string
  readonly password: string
}

/** Roles as docs/deploy.md makes them; the gateway owns the shop, so that it can bring a dropped table back. */
function rolesSql(password: string): string {
  return `
    CREATE ROLE ${AGENT_ROLE} NOLOGIN;
    CREATE ROLE ${GATEWAY_ROLE} LOGIN PASSWORD '${password}' NOSUPERUSER;
    GRANT ${AGENT_ROLE} TO ${GATEWAY_ROLE};
    GRANT pg_read_all_data, pg_read_all_stats, pg_signal_backend TO ${GATEWAY_ROLE};
    GRANT CREATE ON DATABASE postgres TO ${GATEWAY_ROLE};
    GRANT CREATE, USAGE ON SCHEMA public TO ${GATEWAY_ROLE}, ${AGENT_ROLE};`
}

/** The agents own the shop's tables: only an owner can drop one, and dropping one is what the demonstration is about. */
const OWN_SQL = `
  DO $$ DECLARE item record; BEGIN
    FOR item IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' LOOP
      EXECUTE format('ALTER TABLE %s OWNER TO ${AGENT_ROLE}', item.name);
    END LOOP;
    ALTER TYPE public.payment_state OWNER TO ${AGENT_ROLE};
  END $$`

/** On an empty database. Returns the login for the functions. */
export async function seedDatabase(url: string): Promise<GatewayLogin> {
  const password = randomBytes(18).toString('base64url')
  await seedShop(url)
  const database = openPostgres({ url, maxConnections: 1, applicationName: 'backstop-seed' })
  try {
    await database.withDedicatedSession((session) => session.execute(`${rolesSql(password)}; ${OWN_SQL}`))
  } finally {
    await database.close()
  }
  return { username: GATEWAY_ROLE, password }
}
