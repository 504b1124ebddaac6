/** A folder store on bad days: each fault falls on the objects that its rule names, until it is mended. */
import { BackstopError, sha256Hex } from '#lib/kernel/index.ts'
import type { ObjectStore, ObjectUpload } from '#lib/ports/index.ts'

export type StorageFault =
  /** What is written loses its second half, and the store says nothing. */
  | { readonly kind: 'truncates-writes'; readonly keys: RegExp }
  /** One bit of what is written is another one, and the store says nothing. */
  | { readonly kind: 'flips-writes'; readonly keys: RegExp; readonly at: number }
  /** The same, of what is read, so many times; the object is sound. */
  | { readonly kind: 'flips-reads'; readonly keys: RegExp; readonly at: number; readonly calls?: number }
  /** Reading ends in the middle, as an error. */
  | { readonly kind: 'breaks-reads'; readonly keys: RegExp }
  /** Every call fails: how the adapters say that a service timed out, or answered 503 until their patience was over. */
  | { readonly kind: 'out-of-reach'; readonly keys: RegExp; readonly calls?: number; readonly reason: string }
  /** Every write fails when its bytes come, as a full disk does. */
  | { readonly kind: 'is-full'; readonly keys: RegExp }

export interface FaultyStore extends ObjectStore {
  /** Replaces the fault before. */
  breakBy(fault: StorageFault): void
  mend(): void
  /** How often the fault fell on a call. */
  readonly hits: number
}

function flip(content: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(content)
  const index = Math.min(copy.length - 1, Math.floor(copy.length * at))
  if (index >= 0) copy[index] = (copy[index] ?? 0) ^ 16
  return copy
}

const failed = (reason: string) =>
  new BackstopError('STORAGE_UNREACHABLE', `the object storage failed: ${reason}`, { details: { reason } })

class Faulty implements FaultyStore {
  readonly #objects: ObjectStore
  #fault: StorageFault | undefined
  #calls = 0
  hits = 0

  constructor(objects: ObjectStore) {
    this.#objects = objects
  }

  breakBy(fault: StorageFault): void {
    this.#fault = fault
    this.#calls = 0
    this.hits = 0
  }

  mend(): void {
    this.#fault = undefined
  }

  #on(key: string): StorageFault | undefined {
    const fault = this.#fault
    return fault?.keys.test(key) ? fault : undefined
  }

  /** A bad reading that is one of those that are to be. */
  #misreads(fault: StorageFault | undefined): fault is Extract<StorageFault, { kind: 'flips-reads' }> {
    if (fault?.kind !== 'flips-reads') return false
    this.#calls += 1
    if (fault.calls !== undefined && this.#calls > fault.calls) return false
    this.hits += 1
    return true
  }

  #reach(key: string): void {
    const fault = this.#on(key)
    if (fault?.kind !== 'out-of-reach') return
    this.#calls += 1
    if (fault.calls !== undefined && this.#calls > fault.calls) return
    this.hits += 1
    throw failed(fault.reason)
  }

  async put(...[key, content, options]: Parameters<ObjectStore['put']>) {
    const upload = await this.openUpload(key, options)
    await upload.write(content)
    return await upload.commit()
  }

  async openUpload(...[key, options]: Parameters<ObjectStore['openUpload']>): Promise<ObjectUpload> {
    this.#reach(key)
    const upload = await this.#objects.openUpload(key, options)
    const fault = this.#on(key)
    const spoils = fault !== undefined && fault.kind !== 'out-of-reach'
    if (!spoils) return upload
    const held: Uint8Array[] = []
    return {
      write: async (chunk) => {
        if (fault.kind === 'is-full') {
          this.hits += 1
          throw failed('ENOSPC')
        }
        held.push(Uint8Array.from(chunk))
      },
      commit: async () => {
        const content = Buffer.concat(held)
        await upload.write(this.#spoil(fault, content))
        await upload.commit()
        // It believes that it has kept what it was given.
        return { sizeBytes: content.length, sha256: sha256Hex(content) }
      },
      abort: () => upload.abort(),
    }
  }

  #spoil(fault: StorageFault, content: Uint8Array): Uint8Array {
    if (fault.kind !== 'truncates-writes' && fault.kind !== 'flips-writes') return content
    this.hits += 1
    return fault.kind === 'flips-writes' ? flip(content, fault.at) : content.subarray(0, content.length >> 1)
  }

  async read(...[key, range]: Parameters<ObjectStore['read']>): Promise<Uint8Array> {
    this.#reach(key)
    const fault = this.#on(key)
    const content = await this.#objects.read(key, range)
    if (fault?.kind === 'breaks-reads') {
      this.hits += 1
      throw failed('the connection broke')
    }
    return this.#misreads(fault) ? flip(content, fault.at) : content
  }

  async *readStream(...[key, range]: Parameters<ObjectStore['readStream']>): AsyncGenerator<Uint8Array, void> {
    this.#reach(key)
    const fault = this.#on(key)
    let isFirst = true
    for await (const chunk of this.#objects.readStream(key, range)) {
      yield isFirst && this.#misreads(fault) ? flip(chunk, fault.at) : chunk
      isFirst = false
      if (fault?.kind === 'breaks-reads') {
        this.hits += 1
        throw failed('the connection broke')
      }
    }
  }

  async find(key: string) {
    this.#reach(key)
    return await this.#objects.find(key)
  }

  async list(...[prefix, cursor]: Parameters<ObjectStore['list']>) {
    this.#reach(prefix)
    return await this.#objects.list(prefix, cursor)
  }

  async delete(key: string) {
    this.#reach(key)
    await this.#objects.delete(key)
  }
}

export function faultyStore(objects: ObjectStore): FaultyStore {
  return new Faulty(objects)
}
