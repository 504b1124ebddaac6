/**
 * A discrete-event model of many agents in front of the deployed decision path: door, instances, records, database.
 *
 * Real:     nothing here; its costs are measured elsewhere (scale-costs.ts, scale-real.ts) and handed in
 * Modelled: think times, the API's token bucket, Lambda's instances with cold starts and their growth, connections and cores of
 *           PostgreSQL, DynamoDB's partitions, table and retries
 * Left out: network between agent and API, the authorizer's own instances, memory, retries by the agents themselves
 */
import { seededRandom } from '#test/support/cloud/fault-rule.ts'
import { EventQueue, TokenBucket } from './scale-parts.ts'

export interface Scenario {
  readonly name: string
  readonly agents: number
  /** Mean of an exponential distribution, from an answer to the next statement. */
  readonly thinkS: number
  /** `spread`: after a think time of their own. `at-once`: within a second, in front of no instance at all. */
  readonly start: 'spread' | 'at-once'
  readonly durationS: number
  readonly api: { readonly perSecond: number; readonly burst: number }
  readonly maxInstances: number
  readonly database: { readonly maxConnections: number; readonly cores: number }
  readonly records: {
    readonly shards: number
    readonly timelineShards: number
    /** Write units a second that the table, and each index, is warm for. */
    readonly warmWrites: number
  }
}

/** Units and milliseconds of one statement. */
export interface StatementCosts {
  readonly cpuMs: number
  readonly begin: WriteCosts
  readonly finish: WriteCosts
  /** Later, once a minute, for what was written. */
  readonly seal: WriteCosts
}

export interface WriteCosts {
  readonly table: number
  readonly open: number
  readonly unsealed: number
  readonly timeline: number
}

/** Assumed, not measured: a local cloud knows nothing of these. */
export interface Latencies {
  readonly coldStartMs: number
  readonly connectMs: number
  readonly authorizerMs: number
  readonly transactionMs: number
  readonly roundTripMs: number
  readonly databaseCpuMs: number
}

export type Refusal = 'api' | 'lambda' | 'connections' | 'records'

export interface Outcome {
  readonly offeredPerSecond: number
  readonly answeredPerSecond: number
  readonly latenciesMs: readonly number[]
  readonly refused: Readonly<Record<Refusal, number>>
  readonly instances: number
  readonly throttledWrites: number
  /** Executed and answered, their outcome not kept. */
  readonly unfinished: number
}

const PARTITION_WRITES = 1_000
const GROWTH_PER_SECOND = 100 // 1,000 environments every 10 seconds and function
const ATTEMPTS = 4
const THROTTLE_PAUSE_MS = 500
const SPREAD = 0.35

interface Instance {
  isConnected: boolean
}

export function simulate(scenario: Scenario, costs: StatementCosts, latencies: Latencies, seed = 1): Outcome {
  return new Simulation(scenario, costs, latencies, seed).run()
}

class Simulation {
  readonly #scenario: Scenario
  readonly #costs: StatementCosts
  readonly #latencies: Latencies
  readonly #random: () => number
  readonly #events = new EventQueue()
  readonly #door: TokenBucket
  readonly #growth: TokenBucket
  readonly #table: TokenBucket
  readonly #index2: TokenBucket
  readonly #partitions: Readonly<Record<'open' | 'unsealed' | 'timeline', readonly TokenBucket[]>>
  readonly #cores: number[]
  readonly #idle: Instance[] = []
  readonly #refused: Record<Refusal, number> = { api: 0, lambda: 0, connections: 0, records: 0 }
  readonly #took: number[] = []
  #instances = 0
  #connections = 0
  #throttled = 0
  #unfinished = 0
  #offered = 0

  constructor(scenario: Scenario, costs: StatementCosts, latencies: Latencies, seed: number) {
    this.#scenario = scenario
    this.#costs = costs
    this.#latencies = latencies
    this.#random = seededRandom(seed)
    const { api, records, database } = scenario
    const shards = (count: number) => Array.from({ length: count }, () => new TokenBucket(PARTITION_WRITES))
    this.#door = new TokenBucket(api.perSecond, api.burst)
    this.#growth = new TokenBucket(GROWTH_PER_SECOND, 1_000)
    this.#table = new TokenBucket(records.warmWrites)
    this.#index2 = new TokenBucket(records.warmWrites)
    this.#partitions = {
      open: shards(records.shards),
      unsealed: shards(records.shards),
      timeline: shards(records.timelineShards),
    }
    this.#cores = Array.from({ length: database.cores }, () => 0)
  }

  run(): Outcome {
    const { agents, start, durationS } = this.#scenario
    for (let agent = 0; agent < agents; agent++) {
      const firstMs = start === 'at-once' ? this.#random() * 1_000 : this.#thinkMs()
      this.#events.at(firstMs, (nowMs) => this.#arrive(nowMs))
    }
    this.#events.runUntil(durationS * 1_000)
    return {
      offeredPerSecond: this.#offered / durationS,
      answeredPerSecond: this.#took.length / durationS,
      latenciesMs: this.#took,
      refused: this.#refused,
      instances: this.#instances,
      throttledWrites: this.#throttled,
      unfinished: this.#unfinished,
    }
  }

  #arrive(nowMs: number): void {
    this.#offered++
    if (!this.#door.take(nowMs, 1)) {
      this.#refuse(nowMs, 'api')
      return
    }
    const enteredMs = nowMs + this.#vary(this.#latencies.authorizerMs)
    this.#events.at(enteredMs, () => this.#enter(enteredMs, nowMs))
  }

  /** The instance that was used last is used first. */
  #enter(nowMs: number, arrivedMs: number): void {
    const warm = this.#idle.pop()
    if (warm !== undefined) this.#serve(nowMs, arrivedMs, warm)
    else if (this.#instances < this.#scenario.maxInstances && this.#growth.take(nowMs, 1)) {
      this.#instances++
      const readyMs = nowMs + this.#vary(this.#latencies.coldStartMs)
      this.#events.at(readyMs, () => this.#serve(readyMs, arrivedMs, { isConnected: false }))
    } else this.#refuse(nowMs, 'lambda')
  }

  #serve(startMs: number, arrivedMs: number, instance: Instance): void {
    let nowMs = startMs
    if (!instance.isConnected) {
      nowMs += this.#vary(this.#latencies.connectMs)
      if (this.#connections >= this.#scenario.database.maxConnections) {
        this.#end(nowMs, instance, () => this.#refuse(nowMs, 'connections'))
        return
      }
      this.#connections++
      instance.isConnected = true
    }
    this.#write(nowMs, this.#costs.begin, 1, (atMs, isWritten) => {
      if (isWritten) this.#execute(Math.max(atMs, nowMs + this.#vary(this.#latencies.roundTripMs)), arrivedMs, instance)
      else this.#end(atMs, instance, () => this.#refuse(atMs, 'records'))
    })
  }

  /** The catalog was looked at while the intent was written; two more round trips follow, and the outcome. */
  #execute(startMs: number, arrivedMs: number, instance: Instance): void {
    const core = this.#cores.indexOf(Math.min(...this.#cores))
    const beganMs = Math.max(startMs, this.#cores[core] as number)
    const ranMs = beganMs + this.#vary(this.#latencies.databaseCpuMs)
    this.#cores[core] = ranMs
    const executedMs = ranMs + 2 * this.#vary(this.#latencies.roundTripMs) + this.#costs.cpuMs
    this.#events.at(executedMs, () =>
      this.#write(executedMs, this.#costs.finish, 1, (atMs, isWritten) => {
        // What was executed is answered although its outcome could not be kept; operators are told.
        if (!isWritten) this.#unfinished++
        this.#consume(atMs, this.#costs.seal)
        this.#end(atMs, instance, () => this.#answer(atMs, arrivedMs))
      }),
    )
  }

  /** `then` is told when it is written, or given up after the last attempt. */
  #write(nowMs: number, costs: WriteCosts, attempt: number, then: (atMs: number, isWritten: boolean) => void): void {
    if (this.#consume(nowMs, costs)) {
      const doneMs = nowMs + this.#vary(this.#latencies.transactionMs)
      this.#events.at(doneMs, () => then(doneMs, true))
      return
    }
    this.#throttled++
    if (attempt === ATTEMPTS) {
      then(nowMs, false)
      return
    }
    const againMs = nowMs + this.#random() * THROTTLE_PAUSE_MS * 2 ** (attempt - 1)
    this.#events.at(againMs, () => this.#write(againMs, costs, attempt + 1, then))
  }

  #consume(nowMs: number, { table, open, unsealed, timeline }: WriteCosts): boolean {
    const pick = (name: 'open' | 'unsealed' | 'timeline') => {
      const shards = this.#partitions[name]
      return shards[Math.floor(this.#random() * shards.length)] as TokenBucket
    }
    const wanted: readonly (readonly [TokenBucket, number])[] = [
      [this.#table, table + open],
      [this.#index2, unsealed],
      [pick('open'), open],
      [pick('unsealed'), unsealed],
      [pick('timeline'), timeline],
    ]
    if (!wanted.every(([bucket, units]) => bucket.has(nowMs, units))) return false
    for (const [bucket, units] of wanted) bucket.take(nowMs, units)
    return true
  }

  #end(nowMs: number, instance: Instance, then: () => void): void {
    this.#events.at(nowMs, () => {
      this.#idle.push(instance)
      then()
    })
  }

  #answer(nowMs: number, arrivedMs: number): void {
    this.#took.push(nowMs - arrivedMs)
    this.#thinkAgain(nowMs)
  }

  #refuse(nowMs: number, why: Refusal): void {
    this.#refused[why]++
    this.#thinkAgain(nowMs)
  }

  #thinkAgain(nowMs: number): void {
    this.#events.at(nowMs + this.#thinkMs(), (arrivedMs) => this.#arrive(arrivedMs))
  }

  #thinkMs(): number {
    return -Math.log(1 - this.#random()) * this.#scenario.thinkS * 1_000
  }

  /** Log-normal around the median. */
  #vary(medianMs: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random())
    return medianMs * Math.exp(SPREAD * normal)
  }
}
