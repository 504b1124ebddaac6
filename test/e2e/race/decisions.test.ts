import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningProduct, readConfig, startProduct } from '#lib/runtime/index.ts'
import { PATIENT_LIMITS } from '#test/support/patient-limits.ts'
import { startTestProduct, type TestProduct, TOKEN_FILE } from '#test/support/product.ts'
import { type Door, doorTo, emptyCounts, type RoundPlan, runRound } from '#test/support/race/rounds.ts'

const ROUNDS = 50
const VERBS: readonly RoundPlan['verbs'][] = [
  ['approve', 'deny'],
  ['approve', 'approve'],
  ['deny', 'approve'],
]

let first: TestProduct
let second: RunningProduct
let policyFolder: string
beforeAll(async () => {
  policyFolder = await mkdtemp(join(tmpdir(), 'backstop-race-'))
  const policyPath = join(policyFolder, 'policy.json')
  // Resubmitting what was denied is a risky attempt; nobody is to be quarantined for fifty of them here.
  await writeFile(policyPath, JSON.stringify({ max_blocked_attempts_per_window: 10_000 }))
  first = await startTestProduct({
    seedSql: `CREATE TABLE effects (round int NOT NULL); CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL);
      INSERT INTO counters SELECT i, 0 FROM generate_series(1, 3) i;`,
    environment: { BACKSTOP_POLICY: policyPath },
  })
  second = await startProduct({
    config: readConfig(
      { ...PATIENT_LIMITS, BACKSTOP_PORT: '0', BACKSTOP_DB_URL: first.db.url, BACKSTOP_POLICY: policyPath },
      first.folder,
    ),
    version: '0.0.0',
    tokens: TOKEN_FILE,
    log: () => {},
  })
})
afterAll(async () => {
  await second.stop()
  await first.stop()
  await rm(policyFolder, { recursive: true, force: true })
})

/** Three rows change without a WHERE, and one row tells that it ran. */
function statementOf(round: number): string {
  return `WITH changed AS (UPDATE counters SET n = n + 1 RETURNING 1) INSERT INTO effects SELECT ${round} FROM changed LIMIT 1`
}

async function effectsOf(round: number): Promise<number> {
  const rows = await first.db.run(`SELECT count(*)::int AS n FROM effects WHERE round = ${round}`)
  return Number(rows[0]?.['n'])
}

async function race(name: string, doors: readonly [Door, Door], firstRound: number) {
  const counts = emptyCounts()
  const problems: string[] = []
  for (let number = firstRound; number < firstRound + ROUNDS; number++) {
    const verbs = VERBS[number % VERBS.length] ?? ['approve', 'approve']
    const result = await runRound({ sql: statementOf(number), verbs, doors }, counts)
    const effects = await effectsOf(number)
    counts.effects += effects
    const expected = result.outcome === 'approved' ? 1 : 0
    if (effects !== expected) problems.push(`round ${number}: ${effects} effects after ${result.outcome}`)
    problems.push(...result.problems)
  }
  console.log(`${name}: ${JSON.stringify(counts)}`)
  return { counts, problems }
}

describe('two operators deciding at once, and an agent resubmitting twice at once', () => {
  it('get one decision and one execution through one instance', async () => {
    const door = doorTo(first.product.url)
    const { counts, problems } = await race('one instance', [door, door], 0)
    expect(problems).toEqual([])
    expect(counts).toMatchObject({ rounds: ROUNDS, decided: ROUNDS, refused: ROUNDS })
    expect(counts.executed).toBe(counts.approved)
    expect(counts.effects).toBe(counts.approved)
    expect(counts.approved).toBeGreaterThanOrEqual(ROUNDS / 3)
  })

  it('get one decision and one execution through two instances on the same metadata', async () => {
    const doors = [doorTo(first.product.url), doorTo(second.url)] as const
    const { counts, problems } = await race('two instances', doors, ROUNDS)
    expect(problems).toEqual([])
    expect(counts).toMatchObject({ rounds: ROUNDS, decided: ROUNDS, refused: ROUNDS })
    expect(counts.executed).toBe(counts.approved)
    expect(counts.effects).toBe(counts.approved)
  })
})
