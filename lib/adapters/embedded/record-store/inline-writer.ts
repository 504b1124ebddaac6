/** Writing on the caller's thread: for a store in memory, whose commits wait for no disk, and for programs that do nothing meanwhile. */
import type { DatabaseSync } from 'node:sqlite'
import { BackstopError } from '#lib/kernel/index.ts'
import { Backlog } from './backlog.ts'
import { CommitGroup } from './commit-group.ts'
import type { Operation, Writer } from './model.ts'

export class InlineWriter implements Writer {
  readonly #backlog: Backlog

  constructor(database: DatabaseSync) {
    const group = new CommitGroup(database)
    this.#backlog = new Backlog((operations) => this.#backlog.settle(group.commit(operations)))
  }

  submit(operation: Operation): Promise<number> {
    return this.#backlog.add(operation)
  }

  assertAlive(): void {
    this.#backlog.assertOpen()
  }

  async close(): Promise<void> {
    this.#backlog.flush()
    this.#backlog.close(new BackstopError('METADATA_UNREACHABLE', 'the metadata store is closed'))
  }
}
