import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfig } from '#lib/runtime/index.ts'
import { type Findings, inspect, openStores, resumeRound } from '#test/support/crash/inspect.ts'
import {
  keepWriting,
  openRound,
  ProcessGone,
  prepareDatabase,
  type Round,
  runRound,
  STEPS,
  type Step,
} from '#test/support/crash/job.ts'
import { type ProductProcess, startProcess } from '#test/support/crash/process.ts'
import { randomFrom } from '#test/support/crash/random.ts'
import { eventually } from '#test/support/eventually.ts'
import { renderColumns } from '#test/support/hostile/attack.ts'
import { createTestDatabase } from '#test/support/postgres.ts'

const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000)
/** The DROP and its capture take longest and matter most. */
const MOMENTS: readonly Step[] = [...STEPS, 'run the deletion', 'capture and DROP', 'capture and DROP', 'recover']
const LONGEST_DELAY_MS: Partial<Record<Step, number>> = { 'capture and DROP': 400, recover: 200 }

interface Moment {
  readonly step: Step
  readonly delayMs: number
}

interface Bench {
  readonly folder: string
  readonly environment: Record<string, string>
  readonly clusterFolder?: string
}

const cleanups: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const clean of cleanups.reverse()) await clean()
})

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-crash-'))
  // A server that runs as another user has to enter it.
  chmodSync(folder, 0o755)
  cleanups.push(async () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** By the name that the product gives them: those too that it opened in the last moment before it was killed. */
const ABANDONED = `SELECT FROM pg_stat_activity WHERE application_name ^@ 'backstop-' AND datname = current_database()`

/** What the killed process had under way in the server ends, one way or the other, before anybody looks. */
async function waitForAbandonedSessions(client: Client): Promise<void> {
  const isOver = async () => (await client.query(ABANDONED)).rowCount === 0
  await eventually(isOver, { timeoutMs: 60_000, what: 'the abandoned sessions to end' })
}

/** Run a round until the moment, and kill. Resolves with the round as the client knows it. */
async function runUntilKilled(product: ProductProcess, client: Client, writer: Client, number: number, moment: Moment) {
  const round = await openRound(client, number)
  const killed = Promise.withResolvers<void>()
  let isOver = false
  const onStep = (step: Step) => {
    if (step !== moment.step) return
    delay(moment.delayMs)
      .then(() => product.kill())
      .then(killed.resolve, killed.reject)
  }
  const writing = keepWriting(writer, round, () => isOver)
  await runRound(product, round, onStep).catch((error: Error) => {
    if (!(error instanceof ProcessGone)) throw error
  })
  await killed.promise
  isOver = true
  await writing
  return round
}

function rowOf(index: number, moment: Moment, round: Round, found: Findings): string[] {
  return [
    `${index} ${moment.step} + ${moment.delayMs} ms`,
    round.inFlight,
    found.wasDropped ? 'dropped' : 'kept',
    String(round.victimRows.count),
    String(found.approvals),
    `${found.segments}/${found.entries}`,
    String(found.unknownEvents),
    String(found.validPoints),
    String(found.problems.length),
  ]
}

const HEADS = [
  'killed in',
  'unanswered',
  'table',
  'rows',
  'approvals',
  'segments/entries',
  'unknown',
  'valid points',
  'problems',
]

async function killAndLook(bench: Bench, moments: readonly Moment[]) {
  const config = readConfig(bench.environment, bench.folder)
  const order = { ...bench, sealEveryMs: 20 }
  const rows: string[][] = []
  const problems: string[] = []
  let product = await startProcess(order)
  cleanups.push(() => product.kill())
  for (const [index, moment] of moments.entries()) {
    const client = await connect(product.databaseUrl)
    const writer = await connect(product.databaseUrl)
    await prepareDatabase(client)
    const round = await runUntilKilled(product, client, writer, index + 1, moment)
    if (bench.clusterFolder === undefined) await waitForAbandonedSessions(client)
    await Promise.all([client.end(), writer.end()].map((ending) => ending.catch(() => {})))
    product = await startProcess(order)
    const looker = await connect(product.databaseUrl)
    const stores = await openStores(config)
    const seen = await inspect(product, stores, looker, round, product.databaseUrl)
    const found = { ...seen, problems: [...seen.problems, ...(await resumeRound(product, looker, round))] }
    await stores.records.close()
    await looker.end()
    rows.push(rowOf(index + 1, moment, round, found))
    problems.push(
      ...found.problems.map((problem) => `${index + 1} (${moment.step} + ${moment.delayMs} ms): ${problem}`),
    )
  }
  await product.kill()
  return { rows, problems }
}

function pickMoments(count: number, seed: number): Moment[] {
  const random = randomFrom(seed)
  return Array.from({ length: count }, () => {
    const step = MOMENTS[Math.floor(random() * MOMENTS.length)] as Step
    return { step, delayMs: Math.floor(random() * (LONGEST_DELAY_MS[step] ?? 30)) }
  })
}

describe('a product that is killed at random moments of the main job', () => {
  it('keeps every promise when it comes back to a database that lived on', async () => {
    const db = await createTestDatabase()
    cleanups.push(() => db.drop())
    const environment = { BACKSTOP_PORT: '0', BACKSTOP_DB_URL: db.url }
    const { rows, problems } = await killAndLook({ folder: temporaryFolder(), environment }, pickMoments(18, SEED))
    console.log(`CRASH_SEED=${SEED}\n${renderColumns([HEADS, ...rows])}`)
    expect(rows).toHaveLength(18)
    expect(problems).toEqual([])
  })

  it('keeps every promise when its own database went down with it', async () => {
    const folder = temporaryFolder()
    const bench = { folder, clusterFolder: join(folder, 'postgres'), environment: { BACKSTOP_PORT: '0' } }
    // At the first moment the DROP is approved and not yet used: the approval has to be good for the server's next address.
    const moments: Moment[] = [{ step: 'capture and DROP', delayMs: 0 }, ...pickMoments(1, SEED + 1)]
    const { rows, problems } = await killAndLook(bench, moments)
    console.log(`CRASH_SEED=${SEED}\n${renderColumns([HEADS, ...rows])}`)
    expect(rows).toHaveLength(2)
    expect(problems).toEqual([])
  })
})

/** Flip one bit in the last byte of the first file below a folder whose name matches. */
function flipBit(folder: string, pattern: RegExp): void {
  const name = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((one) => pattern.test(one))
  if (name === undefined) throw new Error(`no file like ${pattern} to damage`)
  const bytes = readFileSync(join(folder, name))
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  writeFileSync(join(folder, name), bytes)
}

describe('the inspection itself', () => {
  it('sees a second execution, a lost effect, a damaged snapshot and an edited ledger', async () => {
    const db = await createTestDatabase()
    cleanups.push(() => db.drop())
    const folder = temporaryFolder()
    const environment = { BACKSTOP_PORT: '0', BACKSTOP_DB_URL: db.url }
    const product = await startProcess({ folder, environment, sealEveryMs: 20 })
    cleanups.push(() => product.kill())
    const client = await connect(db.url)
    await prepareDatabase(client)
    const round = await openRound(client, 1)
    await runRound(product, round, () => {})
    const stores = await openStores(readConfig(environment, folder))
    const look = async () => (await inspect(product, stores, client, round, db.url)).problems.join('\n')

    expect(await look()).toBe('')
    await client.query('INSERT INTO executions VALUES (1, 0)')
    expect(await look()).toMatch(/the deletion ran 2 times/)
    await client.query('DELETE FROM executions; DROP TABLE IF EXISTS victim_1_proof')
    expect(await look()).toMatch(/answered executed, without an effect/)
    round.victimRows.count += 1
    await client.query('DROP TABLE IF EXISTS victim_1_proof')
    expect(await look()).toMatch(/victim_1 was dropped with \d+ rows; final points: valid \d+/)
    flipBit(join(folder, 'storage'), /victim_1.*\.parquet$/)
    expect(await look()).toMatch(/is not what the manifest says/)
    flipBit(join(folder, 'storage'), /audit.*\d/)
    expect(await look()).toMatch(/ledger: segment-malformed/)
    await stores.records.close()
    await client.end()
  })
})
