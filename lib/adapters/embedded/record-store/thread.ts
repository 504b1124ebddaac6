/** The thread that writes: commits what has arrived, answers, and goes on with what arrived meanwhile. */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { CommitGroup, MAX_OPERATIONS_PER_COMMIT } from './commit-group.ts'
import type { Operation } from './model.ts'
import { configureConnection } from './schema.ts'

/** A file whose tables exist. */
export interface WriterFile {
  readonly path: string
  readonly busyTimeoutMs: number
}

type Message = readonly Operation[] | 'close'

const { path, busyTimeoutMs } = workerData as WriterFile
const database = new DatabaseSync(path)
configureConnection(database, busyTimeoutMs)
const group = new CommitGroup(database)

function commitArrived(first: Message): void {
  const operations: Operation[] = []
  let message: Message | undefined = first
  while (message !== undefined && message !== 'close') {
    operations.push(...message)
    if (operations.length >= MAX_OPERATIONS_PER_COMMIT) break
    message = nextMessage()
  }
  if (operations.length > 0) parentPort?.postMessage(group.commit(operations))
  if (message === 'close') close()
}

function nextMessage(): Message | undefined {
  return parentPort === null ? undefined : receiveMessageOnPort(parentPort)?.message
}

function close(): void {
  database.close()
  parentPort?.close()
}

parentPort?.on('message', commitArrived)
