/** Archives and fetches WAL by the code that a server calls, in a folder of its own, and proves the newest real segment. */
import { join } from 'node:path'
import { BackstopError, type ErrorCode, isBackstopError, isSameDigest, sha256Hex } from '#lib/kernel/index.ts'
import type { LocalFiles } from '#lib/ports/index.ts'
import { archiveWal, fetchWal, listArchive, parseWalName, walKey } from '../wal/index.ts'
import { type Attempt, type AttemptPorts, runAttempt } from './attempt.ts'
import type { StoredDrill } from './model.ts'
import { clearOldScratch, openScratchStore, type ScratchStore, withDamage } from './scratch-store.ts'
import { type SimulatedSegment, simulateSegment, simulateSystemIdentifier } from './simulated-wal.ts'

export interface WalDrillPorts extends AttemptPorts {
  readonly files: LocalFiles
}

export interface WalDrillRequest {
  readonly clusterId: string
  readonly signal?: AbortSignal
}

const MAX_SEGMENT_BYTES = 1 << 30

/**
 * Effects: objects in a scratch folder of the store and files in one of this machine, both removed; the evidence. Of the real
 *          archive one segment is read
 * Throws:  METADATA_UNREACHABLE
 */
export async function runWalDrill(ports: WalDrillPorts, request: WalDrillRequest): Promise<StoredDrill> {
  const { clusterId } = request
  return await runAttempt(ports, { kind: 'wal-archive-fetch', clusterId }, async (attempt) => {
    const { course } = attempt
    await course.take(
      'clear leftovers',
      () => clearOldScratch(ports),
      (count) => `${count} removed`,
    )
    const folder = await course.must(
      'make scratch',
      () => ports.files.makeScratch(),
      () => 'a folder here and one in the storage',
    )
    const store = openScratchStore(ports.objects, attempt.drillId, ports)
    try {
      await drillArchive(ports, request, attempt, { store, folder: folder.path })
      await readReal(ports, request, attempt, folder.path)
      attempt.isProven = true
    } finally {
      await course.take(
        'remove scratch',
        async () => {
          await folder.remove()
          return await store.removeAll()
        },
        (removed) => `the folder; of the storage ${removed}`,
      )
    }
  })
}

interface Place {
  readonly store: ScratchStore
  readonly folder: string
}

async function drillArchive(
  { files, random }: WalDrillPorts,
  { clusterId, signal }: WalDrillRequest,
  { course, facts }: Attempt,
  { store, folder }: Place,
): Promise<void> {
  const system = simulateSystemIdentifier(random)
  const segment = simulateSegment(1, system, random)
  const source = join(folder, 'source')
  const output = join(folder, 'fetched')
  const key = walKey(clusterId, parseWalName(segment.name))
  const order = { clusterId, path: source, name: segment.name }
  facts['wal_name'] = segment.name
  facts['key'] = key
  await course.must(
    'archive a segment',
    async () => {
      signal?.throwIfAborted()
      await files.replace(source, segment.content)
      return await archiveWal(store, files, order)
    },
    ({ sizeBytes, storedBytes }) => `${sizeBytes} bytes as ${storedBytes}, read back`,
  )
  await course.must(
    'archive it again',
    async () => {
      if ((await archiveWal(store, files, order)).isNew) mismatch('the same segment was stored twice')
    },
    () => 'it was there already, the same',
  )
  await course.must(
    'archive another one of its name',
    async () => {
      await files.replace(source, simulateSegment(1, system, random).content)
      await expectRefusal('WAL_CONFLICT', () => archiveWal(store, files, order))
    },
    () => 'refused',
  )
  await course.must(
    'fetch it',
    () => fetchSame({ store, folder }, files, clusterId, segment),
    () => 'every byte is the one that was archived',
  )
  await course.must(
    'fetch one that is not there',
    async () => {
      const missing = { clusterId, name: simulateSegment(2, system, random).name, outputPath: output }
      if ((await fetchWal(store, files, missing)).found) mismatch('a segment was found that nobody archived')
    },
    () => 'it is told to be absent, and no error',
  )
  await course.must(
    'fetch a damaged one',
    () =>
      expectRefusal('WAL_CORRUPT', () =>
        fetchWal(withDamage(store, key), files, { clusterId, name: segment.name, outputPath: output }),
      ),
    () => 'refused',
  )
  course.checked.push(
    'a segment comes back byte for byte',
    'archiving it again changes nothing',
    'another one of its name is refused',
    'a segment that is not there is told apart from a failure',
    'a flipped bit is found',
  )
}

async function fetchSame(
  { store, folder }: Place,
  files: LocalFiles,
  clusterId: string,
  segment: SimulatedSegment,
): Promise<void> {
  const outputPath = join(folder, 'fetched')
  const result = await fetchWal(store, files, { clusterId, name: segment.name, outputPath })
  if (!result.found) mismatch('the archived segment is not there')
  const content = await files.read(outputPath, segment.content.length)
  if (!isSameDigest(sha256Hex(content), sha256Hex(segment.content))) mismatch('the fetched segment is another one')
}

/** The newest segment that the server archived itself; read, never written. */
async function readReal(
  { objects, files }: WalDrillPorts,
  { clusterId }: WalDrillRequest,
  attempt: Attempt,
  folder: string,
): Promise<void> {
  const { course, facts } = attempt
  const newest = await course.must(
    'look at the real archive',
    async () => {
      const segments = (await listArchive(objects, clusterId)).files.filter(({ file }) => file.kind === 'segment')
      return segments.toSorted((left, right) => left.modifiedAtMs - right.modifiedAtMs).at(-1)
    },
    (found) => found?.file.name ?? 'there is no segment in it',
  )
  if (newest === undefined) {
    attempt.skip(`archive of ${clusterId}`, 'no segment of this server is archived yet, so that none could be fetched')
    return
  }
  const watch = attempt.stopwatch()
  await course.must(
    'fetch its newest segment',
    async () => {
      const name = newest.file.name
      const result = await fetchWal(objects, files, { clusterId, name, outputPath: join(folder, 'real') })
      if (!result.found) mismatch(`${name} is listed and cannot be read`)
      return (await files.read(join(folder, 'real'), MAX_SEGMENT_BYTES)).length
    },
    (sizeBytes) => `${sizeBytes} bytes, their SHA-256 is right`,
  )
  attempt.rtoSeconds = watch()
  attempt.rpoSeconds = attempt.ageSeconds(newest.modifiedAtMs)
  attempt.sizeBytes = newest.sizeBytes
  facts['newest_wal_name'] = newest.file.name
  facts['newest_key'] = newest.key
  course.checked.push(`the newest segment of ${clusterId}, ${newest.file.name}, can be fetched and is whole`)
}

export async function expectRefusal(code: ErrorCode, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (isBackstopError(error, code)) return
    throw error
  }
  mismatch(`it was taken, where ${code} was due`)
}

export function mismatch(reason: string): never {
  throw new BackstopError('DRILL_MISMATCH', reason)
}
