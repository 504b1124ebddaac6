/** Databases for tests, on the run's embedded cluster. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { Database } from '#lib/ports/index.ts'
import { eventually } from './eventually.ts'

export interface TestDatabase {
  /** As the superuser. */
  readonly url: string
  readonly name: string
  readonly database: Database
  /** A URL of the same database for another role. */
  urlAs(role: string, password: string): string
  /** Run fixed SQL as the superuser and return the rows of the last statement. */
  run(sql: string): Promise<Record<string, unknown>[]>
  drop(): Promise<void>
}

async function runAt(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const result = await client.query(sql)
    return (Array.isArray(result) ? result.at(-1) : result).rows
  } finally {
    await client.end()
  }
}

const IN_USE = '55006'

/** The server gives sessions that it ends five seconds to go. On a busy machine they may take longer. */
async function dropDatabase(clusterUrl: string, name: string): Promise<void> {
  const isDropped = () =>
    runAt(clusterUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).then(
      () => true,
      (error: { readonly code?: string }) => {
        if (error.code !== IN_USE) throw error
        return false
      },
    )
  await eventually(isDropped, { what: `the end of the sessions of ${name}` })
}

/** Create a database on the run's cluster, or on another one by a superuser's URL, filled by `seedSql`. */
export async function createTestDatabase(seedSql?: string, otherCluster?: string): Promise<TestDatabase> {
  const clusterUrl = otherCluster ?? inject('clusterUrl')
  const name = `t_${randomBytes(6).toString('hex')}`
  await runAt(clusterUrl, `CREATE DATABASE ${name}`)
  const url = new URL(clusterUrl)
  url.pathname = `/${name}`
  if (seedSql !== undefined) await runAt(url.href, seedSql)
  const database = openPostgres({ url: url.href })
  return {
    url: url.href,
    name,
    database,
    urlAs: (role, password) => {
      const other = new URL(url)
      other.username = role
      other.password = password
      return other.href
    },
    run: (sql) => runAt(url.href, sql),
    drop: async () => {
      await database.close()
      await dropDatabase(clusterUrl, name)
    },
  }
}
