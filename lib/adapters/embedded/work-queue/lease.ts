/** One delivery: take the item, keep it while the handler runs, and settle what came of it. */
import { isBackstopError } from '#lib/kernel/index.ts'
import { type Clock, type RecordStore, type RecordWrite, retryDelayAfter, type StoredRecord } from '#lib/ports/index.ts'
import { planLeave } from './group.ts'
import type { QueuedItem } from './item.ts'
import { buildItemRecord, decodeItemRecord, itemKey } from './item.ts'

export interface LeasePorts {
  readonly records: RecordStore
  readonly clock: Clock
  /** How long an item stays invisible to others without a sign of life. */
  readonly leaseMs: number
  readonly maxAttempts: number
  /** The wait after a failed attempt, 1 for the first. */
  readonly retryDelayMs: (attempt: number) => number
}

const MAX_CONFLICTS = 100

/** An item that this process alone may work on, until its lease runs out. */
export class Lease {
  readonly item: QueuedItem
  readonly #ports: LeasePorts
  #version: number
  #extending: Promise<void> = Promise.resolve()

  private constructor(ports: LeasePorts, item: QueuedItem, version: number) {
    this.#ports = ports
    this.item = item
    this.#version = version
  }

  /** Undefined when another process was first, or when the item has no attempt left and was put aside. */
  static async take(ports: LeasePorts, record: StoredRecord): Promise<Lease | undefined> {
    const found = decodeItemRecord(record)
    const item = { ...found, attempt: found.attempt + 1, dueAtMs: ports.clock.nowMs() + ports.leaseMs }
    if (found.attempt >= ports.maxAttempts) {
      await new Lease(ports, found, record.version).#putAside()
      return undefined
    }
    try {
      const write: RecordWrite = {
        kind: 'replace',
        record: buildItemRecord(item, 'due'),
        expectedVersion: record.version,
      }
      return new Lease(ports, item, await ports.records.write(write))
    } catch (error) {
      if (isBackstopError(error, 'RECORD_CHANGED')) return undefined
      throw error
    }
  }

  /** A sign of life. A lease that was lost stays lost: the other delivery settles the item. */
  extend(): Promise<void> {
    this.#extending = this.#extending.then(async () => {
      const item = { ...this.item, dueAtMs: this.#ports.clock.nowMs() + this.#ports.leaseMs }
      this.#version = await this.#ports.records.write({
        kind: 'replace',
        record: buildItemRecord(item, 'due'),
        expectedVersion: this.#version,
      })
    })
    return this.#extending
  }

  async complete(): Promise<void> {
    await this.#settle(() => ({ kind: 'delete', key: itemKey(this.item.id), expectedVersion: this.#version }), true)
  }

  async fail(error: unknown): Promise<void> {
    if (this.item.attempt >= this.#ports.maxAttempts) return await this.#putAside()
    const delayMs = retryDelayAfter(error, this.#ports.retryDelayMs(this.item.attempt))
    const dueAtMs = this.#ports.clock.nowMs() + delayMs
    const record = buildItemRecord({ ...this.item, dueAtMs }, 'due')
    await this.#settle(() => ({ kind: 'replace', record, expectedVersion: this.#version }), false)
  }

  async #putAside(): Promise<void> {
    const record = buildItemRecord(this.item, 'dead')
    await this.#settle(() => ({ kind: 'replace', record, expectedVersion: this.#version }), true)
  }

  /** The group may change under us; the item itself only when the lease was lost. */
  async #settle(toWrite: () => RecordWrite, leavesGroup: boolean): Promise<void> {
    await this.#extending.catch(() => undefined)
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
      const leave = leavesGroup ? await planLeave(this.#ports.records, this.item) : []
      try {
        return await this.#ports.records.transact([toWrite(), ...leave])
      } catch (error) {
        if (!isBackstopError(error, 'RECORD_CHANGED')) throw error
      }
      const current = await this.#ports.records.find(itemKey(this.item.id))
      if (current?.version !== this.#version) return
    }
  }
}
