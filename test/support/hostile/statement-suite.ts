/** The written attacks as a suite, for one role that the product may connect as. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parseCaseFile, type WrittenCase } from '#test/support/corpus/case-file.ts'
import { readHostileCases, readShopSchema } from '#test/support/corpus/corpus-files.ts'
import { Tally } from './attack.ts'
import { runCampaign } from './campaign.ts'
import { type AttackRole, openRange } from './range.ts'

const OWN_CASES = join(import.meta.dirname, '../../e2e/hostile/cases/prepared-database.md')

/** Those of the corpus, and those that need more than one database. */
function readCases(): WrittenCase[] {
  const own = parseCaseFile('prepared-database.md', readFileSync(OWN_CASES, 'utf8'))
  return [...[...readHostileCases().values()].flat(), ...own]
}

/** With HOSTILE_ONLY, the cases alone whose names hold it. */
function isWanted(one: WrittenCase): boolean {
  const only = process.env['HOSTILE_ONLY']
  return only === undefined || one.name.includes(only)
}

/** What asks for more time than a look has ends it soon: there are hundreds of cases. */
const ENVIRONMENT = { BACKSTOP_MAX_CONNECTIONS: '1', BACKSTOP_ASSESS_TIMEOUT_MS: '2000' }

/** Run all of them over one pooled connection, print the table, and expect no damage. */
export async function proveNoDamage(role: AttackRole): Promise<void> {
  const cases = readCases()
  const range = await openRange({ role, seedSql: readShopSchema(), environment: ENVIRONMENT })
  try {
    const tally = new Tally()
    await runCampaign(range, cases.filter(isWanted), tally)
    console.log(tally.render(`attacks as ${role}`))
    expect(cases.length).toBeGreaterThanOrEqual(250)
    expect(tally.caseCount).toBeGreaterThan(0)
    expect(tally.damages).toEqual([])
    expect(await range.isWitnessAlive()).toBe(true)
  } finally {
    await range.stop()
  }
}
