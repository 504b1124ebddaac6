/** `backstop doctor native-tools`: are PostgreSQL's own programs here. */
import { createNativeTools } from '#lib/adapters/native/index.ts'
import { examineNativeTools } from '#lib/recovery/index.ts'
import { programFlag } from '../backup/index.ts'
import { defineCommand } from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'

export const doctorNativeTools = defineCommand({
  path: 'doctor native-tools',
  summary: "Look for PostgreSQL's own programs",
  details:
    'Each is run once with --version. They are needed for backups of whole databases and servers, and their drills.',
  flags: {
    pgDumpBin: programFlag('pg_dump'),
    pgRestoreBin: programFlag('pg_restore'),
    pgBasebackupBin: programFlag('pg_basebackup'),
  },
  json: 'checks {tool: {found, path, version, problem}}, missing[]',
  examples: [{ does: 'On a new machine', line: 'backstop doctor native-tools' }],
  async run({ flags }, { environment }) {
    const { pgDumpBin, pgRestoreBin, pgBasebackupBin } = flags
    const programs = { pg_dump: pgDumpBin, pg_restore: pgRestoreBin, pg_basebackup: pgBasebackupBin }
    const { ok, tools, missing } = await examineNativeTools(createNativeTools({ environment, programs }))
    const checks = Object.fromEntries(
      tools.map(({ tool, isFound, path, version, problem }) => [tool, { found: isFound, path, version, problem }]),
    )
    const blocks: Block[] = [
      {
        kind: 'table',
        columns: [{ title: 'PROGRAM' }, { title: 'FOUND' }, { title: 'WHERE' }, { title: 'VERSION' }],
        rows: tools.map(({ tool, isFound, path, version }) => [
          tool,
          { text: isFound ? 'yes' : 'no', tone: isFound ? 'good' : 'bad' },
          path ?? '',
          version ?? '',
        ]),
        whenEmpty: '',
      },
      ...(ok ? [] : [{ kind: 'list', items: tools.flatMap(({ problem }) => problem ?? []) } as const]),
    ]
    return { ok, data: { checks, missing }, blocks }
  },
})
