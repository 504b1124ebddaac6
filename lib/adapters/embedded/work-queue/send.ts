/** The sending side: one transaction keeps the item, its place in its group and its dedupe key. */
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { Clock, Random, RecordStore, RecordWrite, SendOptions } from '#lib/ports/index.ts'
import { planJoin } from './group.ts'
import type { QueuedItem } from './item.ts'
import { buildItemRecord, dedupeKeyOf, groupPartition } from './item.ts'

const DEDUPE_S = 300
const MAX_CONFLICTS = 1_000

export interface SendPorts {
  readonly records: RecordStore
  readonly clock: Clock
  readonly random: Random
}

/** Returns the item's id, or the id of the first one with the same dedupe key. */
export async function sendItem(
  ports: SendPorts,
  kind: string,
  body: JsonObject,
  options: SendOptions,
): Promise<string> {
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
    const known = await findDuplicate(ports, kind, options)
    if (known !== undefined) return known
    try {
      return await sendOnce(ports, kind, body, options)
    } catch (error) {
      if (!isBackstopError(error, 'RECORD_EXISTS') && !isBackstopError(error, 'RECORD_CHANGED')) throw error
    }
  }
  throw new BackstopError('METADATA_UNREACHABLE', 'the work could not be queued: too many others write at once')
}

async function findDuplicate(ports: SendPorts, kind: string, { dedupeKey }: SendOptions): Promise<string | undefined> {
  if (dedupeKey === undefined) return undefined
  const found = await ports.records.find(dedupeKeyOf(kind, dedupeKey))
  return found?.body['id'] as string | undefined
}

async function sendOnce(ports: SendPorts, kind: string, body: JsonObject, options: SendOptions): Promise<string> {
  const nowMs = ports.clock.nowMs()
  const id = `work_${Buffer.from(ports.random.bytes(16)).toString('hex')}`
  const join =
    options.groupKey === undefined ? undefined : await planJoin(ports.records, groupPartition(kind, options.groupKey))
  const item: QueuedItem = {
    id,
    kind,
    body,
    attempt: 0,
    sentAtMs: nowMs,
    dueAtMs: nowMs + (options.delayMs ?? 0),
    ...(join && { group: join.place }),
    ...(options.correlationId !== undefined && { correlationId: options.correlationId }),
  }
  const record = buildItemRecord(item, join === undefined || join.isFirst ? 'due' : 'waiting')
  const writes: RecordWrite[] = [{ kind: 'create', record }]
  if (join) writes.push(join.write)
  if (options.dedupeKey !== undefined) {
    const expiresAtS = Math.ceil(nowMs / 1_000) + DEDUPE_S
    const key = dedupeKeyOf(kind, options.dedupeKey)
    writes.push({ kind: 'create', record: { key, body: { id }, expiresAtS } })
  }
  await ports.records.transact(writes)
  return id
}
