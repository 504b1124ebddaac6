/** Opens a database that must be there. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { Database } from '#lib/ports/index.ts'

/** Connect once, so that a wrong address or password shows at the start. Throws DATABASE_UNREACHABLE. */
export async function connectDatabase(url: string, maxConnections: number): Promise<Database> {
  const database = openPostgres({ url, maxConnections })
  try {
    await database.withSession((session) => session.query('SELECT 1'))
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}
