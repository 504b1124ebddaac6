/** Write the lists of pg_catalog's functions, types and operators: `node test/support/classify/write-catalog.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { Client } from 'pg'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { readCatalogNames, withList } from './catalog-names.ts'

const folder = new URL('../../../lib/gate/classify/functions/', import.meta.url)

function rewrite(file: string, lists: Readonly<Record<string, readonly string[]>>): void {
  const path = new URL(file, folder)
  const before = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    Object.entries(lists).reduce((source, [constant, names]) => withList(source, constant, names), before),
  )
}

const cluster = await startCluster({})
try {
  const client = new Client({ connectionString: cluster.urlFor('postgres') })
  await client.connect()
  const run = async (sql: string) => (await client.query<Record<string, unknown>>(sql)).rows
  const names = await readCatalogNames(run).finally(() => client.end())
  rewrite('catalog-functions.ts', { STEADY_FUNCTIONS: names.steady, VOLATILE_FUNCTIONS: names.volatile })
  rewrite('catalog-types.ts', { CATALOG_TYPES: names.types, CATALOG_OPERATORS: names.operators })
} finally {
  await cluster.stop()
}
