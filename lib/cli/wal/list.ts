/** `backstop wal list`: what is in an archive, by timeline. */
import { findGaps, findSystem, listArchive } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import { defineCommand, existingStorage, STORAGE_FLAG } from '../frame/index.ts'
import { formatBytes } from '../terminal/index.ts'
import { CLUSTER_FLAG } from './flags.ts'

const DEFAULT_SEGMENT_BYTES = 16 << 20

export const walList = defineCommand({
  path: 'wal list',
  summary: 'List an archive of WAL by timeline',
  details: 'By names alone; "backstop wal verify" reads the content.',
  flags: { storage: STORAGE_FLAG, clusterId: CLUSTER_FLAG },
  json: 'cluster_id, system_identifier, segment_bytes, timelines[] (timeline, first, last, segments, stored_bytes), files[] (name, kind, stored_bytes), gaps[]',
  examples: [{ does: 'What can be replayed', line: 'backstop wal list --storage file:///backups --cluster-id prod' }],
  async run({ flags }, { environment }) {
    const { objects } = await openBackupTools(existingStorage(flags.storage, environment), 'read', { environment })
    const system = await findSystem(objects, flags.clusterId)
    const { files } = await listArchive(objects, flags.clusterId)
    const all = files.map(({ file }) => file)
    const { timelines, gaps } = findGaps(all, new Map(), system?.segmentBytes ?? DEFAULT_SEGMENT_BYTES)
    const storedOf = (timeline: number) =>
      files.filter(({ file }) => file.timeline === timeline).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const rows = timelines.map(({ timeline, first, last, segmentCount }) => ({
      timeline,
      first,
      last,
      segments: segmentCount,
      stored_bytes: storedOf(timeline),
    }))
    const data = {
      cluster_id: flags.clusterId,
      system_identifier: system?.systemIdentifier ?? null,
      segment_bytes: system?.segmentBytes ?? null,
      timelines: rows,
      files: files.map(({ file, sizeBytes }) => ({ name: file.name, kind: file.kind, stored_bytes: sizeBytes })),
      gaps,
    }
    const whenEmpty = 'No WAL of this server is archived here yet.'
    const columns = ['TIMELINE', 'FIRST', 'LAST', 'SEGMENTS', 'SIZE'].map((title) => ({ title }))
    const cells = rows.map((row) => [
      String(row.timeline),
      row.first,
      row.last,
      String(row.segments),
      formatBytes(row.stored_bytes),
    ])
    return { ok: true, data, blocks: [{ kind: 'table', columns, rows: cells, whenEmpty }] }
  },
})
