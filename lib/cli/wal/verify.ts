/** `backstop wal verify`: reads a whole archive and looks for gaps. */
import type { WalVerification } from '#lib/recovery/index.ts'
import { formatLsn, verifyWal } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import { defineCommand, existingStorage, STORAGE_FLAG, text, toggle } from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { CLUSTER_FLAG } from './flags.ts'

export const walVerify = defineCommand({
  path: 'wal verify',
  summary: 'Prove an archive of WAL: nothing damaged, nothing missing',
  details:
    'Every file is read, decompressed and compared with its SHA-256 and its own header; the row of segments must have no gap ' +
    'on any timeline, nor where one branches off from another. What was not looked at is told of as skipped.',
  flags: {
    storage: STORAGE_FLAG,
    clusterId: CLUSTER_FLAG,
    from: text('--from <wal-name>', 'begin at this segment, such as the first one that a base backup needs'),
    quick: toggle('--quick', 'look for gaps by names alone, read no content'),
  },
  json: 'ok, checked, skipped[] (subject, reason), problems[] (subject, reason), timelines[], gaps[]',
  examples: [
    { does: 'Every night', line: 'backstop wal verify --storage file:///backups --cluster-id prod --json' },
    {
      does: 'Every minute',
      line: 'backstop wal verify --storage file:///backups --cluster-id prod --quick --from 0000000100000A2B000000F0',
    },
  ],
  async run({ flags }, context) {
    const { environment, signal, progress } = context
    const { objects } = await openBackupTools(existingStorage(flags.storage, environment), 'read', { environment })
    const report = await verifyWal(objects, {
      clusterId: flags.clusterId,
      from: flags.from,
      isQuick: flags.quick,
      signal,
      onFile: (done, total) => progress.update({ label: 'proven', done, total, unit: 'files' }),
    })
    return { ok: report.ok, data: reportData(report), blocks: reportBlocks(report) }
  },
})

function reportData({ ok: _, timelines, ...report }: WalVerification): object {
  return {
    ...report,
    timelines: timelines.map(({ timeline, first, last, segmentCount, branch }) => ({
      timeline,
      first,
      last,
      segments: segmentCount,
      parent: branch?.parent ?? null,
      branched_at: branch === undefined ? null : formatLsn(branch.lsn),
    })),
  }
}

function reportBlocks(report: WalVerification): readonly Block[] {
  const { ok, checked, skipped, problems, timelines } = report
  const head = `${checked} files proven, ${skipped.length} skipped, ${problems.length} problems, timelines: ${timelines.length}.`
  const blocks: Block[] = [{ kind: 'text', text: head, tone: ok ? 'good' : 'bad' }]
  if (problems.length > 0) {
    blocks.push({ kind: 'title', text: 'Problems' })
    blocks.push({ kind: 'list', items: problems.map(({ subject, reason }) => `${subject}: ${reason}`) })
  }
  return blocks
}
