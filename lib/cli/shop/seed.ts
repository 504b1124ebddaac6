/** Fills a new database with the demonstration shop. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { SHOP_FILL } from './rows.ts'
import { SHOP_SCHEMA } from './schema.ts'

/** Idempotent: a database that holds any table of a user is left as it is. */
export async function seedShop(url: string): Promise<void> {
  const database = openPostgres({ url, maxConnections: 1, applicationName: 'backstop-seed' })
  try {
    await database.withSession(async (session) => {
      const tables = await session.query(`SELECT 1 FROM pg_catalog.pg_stat_user_tables LIMIT 1`)
      if (tables.length === 0) await session.execute(`BEGIN; ${SHOP_SCHEMA} ${SHOP_FILL} COMMIT`)
    })
  } finally {
    await database.close()
  }
}
