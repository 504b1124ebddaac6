/** One pooled connection as a `DatabaseSession`. */
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { DatabaseSession } from '#lib/ports/index.ts'
import { runCappedQuery } from './capped-query.ts'
import { mapDatabaseError } from './failure.ts'

const COPY_BUFFER_BYTES = 1 << 20
/** As a high-water mark: the stream takes the next chunk when it has passed on the last one. */
const ONE_CHUNK = 1

export interface LentSession {
  readonly session: DatabaseSession
  readonly isLeftClean: () => boolean
}

/** Wrap a client; every rejection is mapped by `mapDatabaseError`. */
export function lend(client: pg.ClientBase, label: string): LentSession {
  let isLeftClean = false
  const session = sessionOf(client, label, () => {
    isLeftClean = true
  })
  return { session, isLeftClean: () => isLeftClean }
}

function sessionOf(client: pg.ClientBase, label: string, leaveClean: () => void): DatabaseSession {
  const mapped = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw mapDatabaseError(error, label)
    }
  }
  return {
    processId: (client as unknown as { processID: number }).processID,
    query: (sql, parameters, preparedAs) => {
      const config = { text: sql, values: [...(parameters ?? [])], queryMode: 'extended' }
      const named = preparedAs === undefined ? config : { ...config, name: preparedAs }
      return mapped(client.query(named as pg.QueryConfig).then((result) => result.rows))
    },
    execute: (sql) => mapped(client.query(sql).then(() => undefined)),
    runCapped: (sql, options) => mapped(runCappedQuery(client, sql, options)),
    leaveClean,
    copyOut: (sql) => copyOut(client, sql, label),
    copyIn: async (sql, chunks) => {
      const sink = client.query(copyFrom(sql, { highWaterMark: ONE_CHUNK }))
      await mapped(pipeline(onceSent(chunks, socketOf(client)), sink))
      return sink.rowCount
    },
  }
}

/** Goes on after a chunk only when the socket is done with its bytes, which the maker may then overwrite. */
async function* onceSent(chunks: AsyncIterable<Uint8Array>, socket: Writable): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk
    // A failed write ends the pipeline by itself.
    if (socket.writableLength > 0) await new Promise<unknown>((resolve) => socket.write('', resolve))
  }
}

function socketOf(client: pg.ClientBase): Writable {
  return (client as unknown as { connection: { stream: Writable } }).connection.stream
}

async function* copyOut(client: pg.ClientBase, sql: string, label: string): AsyncIterable<Uint8Array> {
  const source = client.query(copyTo(sql, { highWaterMark: COPY_BUFFER_BYTES }))
  try {
    for await (const chunk of source) yield chunk as Uint8Array
  } catch (error) {
    throw mapDatabaseError(error, label)
  }
}
