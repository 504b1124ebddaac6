/** `backstop drill list`: the evidence that drills left, from the storage alone. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { epochMsOf } from '#lib/kernel/index.ts'
import { DRILL_KINDS, readEvidence } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import { choice, defineCommand, existingStorage, integer, STORAGE_FLAG } from '../frame/index.ts'
import { type Block, formatDuration } from '../terminal/index.ts'
import { drillData, resultCell, subjectOf } from './view.ts'

const MS = 1_000
const DEFAULT_LIMIT = 50
const ANY = 'any'

export const drillList = defineCommand({
  path: 'drill list',
  summary: 'List the evidence of drills, newest first',
  details: 'Each object is compared with its own digest; one that was changed is told of and not listed.',
  flags: {
    storage: STORAGE_FLAG,
    kind: choice('--kind <kind>', 'only drills of this kind', [ANY, ...DRILL_KINDS] as const, ANY),
    limit: integer('--limit <n>', `so many at most (default ${DEFAULT_LIMIT})`, 1, 10_000),
  },
  json: 'drills[] (as a drill prints it), problems[] (subject, reason)',
  examples: [{ does: 'When was a recovery tried last', line: 'backstop drill list --storage file:///backups' }],
  async run({ flags }, { environment }) {
    const { objects } = await openBackupTools(existingStorage(flags.storage, environment), 'read', { environment })
    const { drills, problems } = await readEvidence(objects)
    const wanted = drills.filter(({ evidence }) => flags.kind === ANY || evidence.kind === flags.kind)
    const shown = wanted.slice(0, flags.limit ?? DEFAULT_LIMIT)
    const nowMs = systemClock.nowMs()
    const seconds = (value: number | null) => (value === null ? '' : formatDuration(value * MS))
    const blocks: Block[] = [
      {
        kind: 'table',
        columns: [
          { title: 'DRILL' },
          { title: 'OF' },
          { title: 'RESULT' },
          { title: 'AGE', isRight: true },
          { title: 'RTO', isRight: true },
          { title: 'RPO', isRight: true },
          { title: 'EVIDENCE' },
        ],
        rows: shown.map(({ evidence, key }) => [
          evidence.kind,
          subjectOf(evidence),
          resultCell(evidence.result),
          formatDuration(nowMs - epochMsOf(evidence.startedAt)),
          seconds(evidence.rtoSeconds),
          seconds(evidence.rpoSeconds),
          key ?? '',
        ]),
        whenEmpty: 'No drill was run here yet.',
      },
    ]
    if (problems.length > 0) {
      const items = problems.map(({ subject, reason }) => `${subject}: ${reason}`)
      blocks.push({ kind: 'title', text: 'Not what was written' }, { kind: 'list', items })
    }
    return { ok: problems.length === 0, data: { drills: shown.map(drillData), problems }, blocks }
  },
})
