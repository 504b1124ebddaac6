/** A durable work queue over the record store: any number of processes may send and consume. */
import type { JsonObject } from '#lib/kernel/index.ts'
import { instantFrom } from '#lib/kernel/index.ts'
import type {
  Clock,
  Random,
  RecordStore,
  SendOptions,
  StoredRecord,
  WorkConsumer,
  WorkHandler,
  WorkItem,
  WorkQueue,
} from '#lib/ports/index.ts'
import type { QueuedItem } from './item.ts'
import { DEAD_PARTITION, decodeItemRecord, readyPartition, toWorkItem } from './item.ts'
import type { LeasePorts } from './lease.ts'
import { Lease } from './lease.ts'
import { sendItem } from './send.ts'

/** A delivery that failed, or the queue's own trouble with its store (then there is no item). */
export interface WorkFailure {
  readonly item?: WorkItem
  readonly isLastAttempt: boolean
  readonly error: unknown
}

export interface DurableWorkQueueOptions {
  readonly records: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly onFailure: (failure: WorkFailure) => void
  /** 60,000 when absent: an item of a killed process is delivered again after this. */
  readonly leaseMs?: number
  /** 8 when absent. */
  readonly maxAttempts?: number
  /** How often to look for work that other processes sent; 1,000 when absent. */
  readonly pollMs?: number
  /** Handlers at once; 4 when absent. */
  readonly concurrency?: number
  /** One second, doubling, at most five minutes when absent. */
  readonly retryDelayMs?: (attempt: number) => number
}

export interface DurableWorkQueue extends WorkQueue, WorkConsumer {
  /** Deliver until nothing is due; returns how many deliveries were made. */
  runDue(): Promise<number>
}

const DEFAULT_LEASE_MS = 60_000
const DEFAULT_MAX_ATTEMPTS = 8
const DEFAULT_POLL_MS = 1_000
const DEFAULT_CONCURRENCY = 4
const MAX_RETRY_DELAY_MS = 300_000

export function createDurableWorkQueue(options: DurableWorkQueueOptions): DurableWorkQueue {
  return new RecordWorkQueue(options)
}

const growingDelayMs = (attempt: number): number => Math.min(1_000 * 2 ** (attempt - 1), MAX_RETRY_DELAY_MS)

class RecordWorkQueue implements DurableWorkQueue {
  readonly #options: DurableWorkQueueOptions
  readonly #leasing: LeasePorts
  readonly #handlers = new Map<string, WorkHandler>()
  readonly #inHand = new Set<Promise<void>>()
  #isRunning = false
  #isStopping = false
  #isWoken = false
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: DurableWorkQueueOptions) {
    this.#options = options
    this.#leasing = {
      records: options.records,
      clock: options.clock,
      leaseMs: options.leaseMs ?? DEFAULT_LEASE_MS,
      maxAttempts: options.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      retryDelayMs: options.retryDelayMs ?? growingDelayMs,
    }
  }

  async send(kind: string, body: JsonObject, options: SendOptions = {}): Promise<string> {
    const id = await sendItem(this.#options, kind, body, options)
    this.#wake()
    return id
  }

  handle(kind: string, handler: WorkHandler): void {
    this.#handlers.set(kind, handler)
  }

  start(): void {
    this.#isRunning = true
    this.#wake()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#isStopping = true
    clearTimeout(this.#timer)
    await this.#looking
    while (this.#inHand.size > 0) await Promise.all(this.#inHand)
    this.#isStopping = false
  }

  async listDead(): Promise<readonly WorkItem[]> {
    const items: WorkItem[] = []
    let cursor: string | undefined
    do {
      const query = { partition: DEAD_PARTITION, index: 'index2' } as const
      const page = await this.#options.records.query({ ...query, ...(cursor !== undefined && { cursor }) })
      items.push(...page.records.map((record) => toWorkItem(decodeItemRecord(record))))
      cursor = page.cursor
    } while (cursor !== undefined)
    return items
  }

  async runDue(): Promise<number> {
    let count = 0
    for (;;) {
      const started = await this.#startDue()
      if (started === 0 && this.#inHand.size === 0) return count
      count += started
      await Promise.all(this.#inHand)
    }
  }

  /** Start what is due, as far as there are hands free; returns how many deliveries began. */
  async #startDue(): Promise<number> {
    const found = await Promise.all([...this.#handlers.keys()].map((kind) => this.#findDue(kind)))
    const due = found.flat().sort((left, right) => left.item.dueAtMs - right.item.dueAtMs)
    let started = 0
    for (const { record } of due) {
      if (this.#isStopping || this.#inHand.size >= (this.#options.concurrency ?? DEFAULT_CONCURRENCY)) break
      const lease = await Lease.take(this.#leasing, record)
      if (lease === undefined) continue
      started++
      const work = this.#deliver(lease).finally(() => {
        this.#inHand.delete(work)
        this.#wake()
      })
      this.#inHand.add(work)
    }
    return started
  }

  async #findDue(kind: string): Promise<{ record: StoredRecord; item: QueuedItem }[]> {
    const sortTo = `${instantFrom(this.#options.clock.nowMs())}#~`
    const page = await this.#options.records.query({ partition: readyPartition(kind), index: 'index1', sortTo })
    return page.records.map((record) => ({ record, item: decodeItemRecord(record) }))
  }

  /** Never rejects: a delivery that cannot even be settled is made again when its lease has run out. */
  async #deliver(lease: Lease): Promise<void> {
    const item = toWorkItem(lease.item)
    const heartbeat = setInterval(() => void lease.extend().catch(() => undefined), this.#leasing.leaseMs / 3)
    try {
      await this.#handlers.get(item.kind)?.(item)
      await lease.complete()
    } catch (error) {
      this.#options.onFailure({ item, isLastAttempt: item.attempt >= this.#leasing.maxAttempts, error })
      await lease.fail(error).catch((cause: unknown) => this.#options.onFailure({ isLastAttempt: false, error: cause }))
    } finally {
      clearInterval(heartbeat)
    }
  }

  /** Look for work now. When a look ends that found none, the next one follows after the poll interval. */
  #wake(): void {
    this.#isWoken = true
    if (!this.#isRunning || this.#looking) return
    clearTimeout(this.#timer)
    this.#looking = this.#look()
  }

  async #look(): Promise<void> {
    try {
      while (this.#isRunning && this.#isWoken) {
        this.#isWoken = false
        await this.#startDue()
      }
    } catch (error) {
      this.#options.onFailure({ isLastAttempt: false, error })
    }
    this.#looking = undefined
    clearTimeout(this.#timer)
    const pollMs = this.#options.pollMs ?? DEFAULT_POLL_MS
    if (this.#isRunning) this.#timer = setTimeout(() => this.#wake(), pollMs)
  }
}
