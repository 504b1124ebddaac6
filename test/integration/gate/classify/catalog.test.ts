import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { STEADY_FUNCTIONS, VOLATILE_FUNCTIONS } from '#lib/gate/classify/functions/catalog-functions.ts'
import { CATALOG_OPERATORS, CATALOG_TYPES } from '#lib/gate/classify/functions/catalog-types.ts'
import { type CatalogNames, readCatalogNames } from '#test/support/classify/catalog-names.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

let database: TestDatabase
let names: CatalogNames

beforeAll(async () => {
  database = await createTestDatabase()
  names = await readCatalogNames(database.run)
})

afterAll(() => database.drop())

describe('the lists of pg_catalog', () => {
  it('hold exactly the functions of the server, by volatility', () => {
    expect(names.steady.length).toBeGreaterThan(1_900)
    expect([...STEADY_FUNCTIONS].toSorted()).toEqual(names.steady.toSorted())
    expect([...VOLATILE_FUNCTIONS].toSorted()).toEqual(names.volatile.toSorted())
  })

  it('hold exactly its types and operator symbols', () => {
    expect(names.types.length).toBeGreaterThan(90)
    expect([...CATALOG_TYPES].toSorted()).toEqual(names.types.toSorted())
    expect([...CATALOG_OPERATORS].toSorted()).toEqual(names.operators.toSorted())
  })
})
