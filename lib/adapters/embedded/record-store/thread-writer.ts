/** Writing on a thread of its own, so that a flush of the disk holds up those who wait for it and nobody else. */
import { Worker } from 'node:worker_threads'
import { BackstopError } from '#lib/kernel/index.ts'
import { Backlog } from './backlog.ts'
import { asMetadataError } from './failure.ts'
import type { Operation, Outcome, Writer } from './model.ts'
import type { WriterFile } from './thread.ts'

/**
 * The thread starts with the first operation, so a program that only reads never pays for it.
 *
 * Invariants: the thread keeps the process alive exactly while somebody waits for it
 */
export class ThreadWriter implements Writer {
  readonly #file: WriterFile
  readonly #backlog = new Backlog((operations) => this.#send(operations))
  #thread: Worker | undefined
  readonly #ended = Promise.withResolvers<void>()
  #closing: Promise<void> | undefined

  constructor(file: WriterFile) {
    this.#file = file
  }

  submit(operation: Operation): Promise<number> {
    return this.#backlog.add(operation)
  }

  assertAlive(): void {
    this.#backlog.assertOpen()
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  async #finish(): Promise<void> {
    this.#backlog.flush()
    this.#backlog.close(new BackstopError('METADATA_UNREACHABLE', 'the metadata store is closed'))
    if (this.#thread === undefined) return
    this.#thread.ref()
    this.#thread.postMessage('close')
    await this.#ended.promise
  }

  #send(operations: readonly Operation[]): void {
    this.#thread ??= this.#start()
    this.#thread.ref()
    this.#thread.postMessage(operations)
  }

  #start(): Worker {
    const thread = new Worker(new URL('./thread.ts', import.meta.url), { workerData: this.#file, execArgv: [] })
    thread.on('message', (outcomes: readonly Outcome[]) => {
      this.#backlog.settle(outcomes)
      if (this.#backlog.isEmpty && this.#closing === undefined) thread.unref()
    })
    thread.on('error', (error) => this.#backlog.fail(asMetadataError(error)))
    thread.on('exit', () => {
      this.#backlog.fail(new BackstopError('METADATA_UNREACHABLE', 'the metadata writer ended'))
      this.#ended.resolve()
    })
    return thread
  }
}
