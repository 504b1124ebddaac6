/** `backstop doctor launch`: may agents come. */
import type { CheckReport, LaunchReport } from '#lib/product/index.ts'
import { openLaunch } from '#lib/runtime/index.ts'
import {
  type CommandResult,
  DATABASE_FLAG,
  defineCommand,
  existingMetadata,
  findSetting,
  getSetting,
  integer,
  list,
  METADATA_FLAG,
  readTable,
  STORAGE_FLAG,
  text,
  toggle,
} from '../frame/index.ts'
import type { Block, Tone } from '../terminal/index.ts'

const DEFAULT_DRILL_DAYS = 35

export const doctorLaunch = defineCommand({
  path: 'doctor launch',
  summary: 'Look at everything that has to be right before agents come',
  details:
    'ready: everything was looked at and is right. degraded: something is less than it should be, or could have been looked at ' +
    'and was not; each item says how to mend it, and wants an owner. not_ready: something failed; exit code 1. What the gateway ' +
    'is told by its environment (BACKSTOP_DB_URL, BACKSTOP_TOKENS, BACKSTOP_POLICY, BACKSTOP_ALERT_WEBHOOK, …) counts here too: ' +
    'run it where the gateway runs.',
  flags: {
    storage: STORAGE_FLAG,
    table: list('--table <names>', 'tables that agents will modify, by commas: name or schema.name'),
    db: DATABASE_FLAG,
    metadataDb: METADATA_FLAG,
    clusterId: text('--cluster-id <name>', 'the server whose WAL is archived (BACKSTOP_CLUSTER_ID)'),
    tokens: text('--tokens <path>', 'the token file (BACKSTOP_TOKENS)'),
    policy: text('--policy <path>', 'the policy file (BACKSTOP_POLICY)'),
    maxDrillDays: integer('--max-drill-days <n>', `a drill counts so long (default ${DEFAULT_DRILL_DAYS})`, 1, 3_650),
    strict: toggle('--strict', 'as of storage-permissions: fail when recovery objects could be deleted'),
  },
  json: 'verdict, checks {name: {status, fix, looked_at[], findings[] (severity, problem, fix, owner_question), skipped[], notes[]}}, blocking[], degraded[] (check, problem, fix, owner_question), skipped[] (check, subject, reason, is_open)',
  examples: [
    {
      does: 'As the checklist has it',
      line: 'backstop doctor launch --storage s3://prod-snapshots --table users --metadata-db /metadata/backstop.db --json',
    },
  ],
  async run({ flags }, { environment }) {
    const storageUrl = getSetting(flags.storage, '--storage', 'BACKSTOP_STORAGE_URL', environment)
    const metadataPath = existingMetadata(flags.metadataDb, environment)
    const launch = await openLaunch({
      storageUrl,
      metadataPath,
      databaseUrl: findSetting(flags.db, 'BACKSTOP_DB_URL', environment),
      tables: (flags.table ?? []).map((table) => readTable(table)),
      clusterId: findSetting(flags.clusterId, 'BACKSTOP_CLUSTER_ID', environment),
      tokensPath: findSetting(flags.tokens, 'BACKSTOP_TOKENS', environment),
      policyPath: findSetting(flags.policy, 'BACKSTOP_POLICY', environment),
      maxDrillAgeDays: flags.maxDrillDays ?? DEFAULT_DRILL_DAYS,
      isStrict: flags.strict,
      environment,
    })
    return show(launch)
  },
})

function checkData({ status, lookedAt, findings, skipped, notes }: CheckReport): object {
  const fixes = findings.length > 0 ? findings.map(({ fix }) => fix) : skipped.map(({ reason }) => reason)
  return {
    status,
    ...(status === 'ok' ? {} : { fix: fixes.join(' ') }),
    looked_at: lookedAt,
    findings: findings.map(({ ownerQuestion, ...finding }) => ({ ...finding, owner_question: ownerQuestion })),
    skipped: skipped.map(({ isOpen, ...skip }) => ({ ...skip, is_open: isOpen })),
    notes,
  }
}

function launchData({ verdict, checks }: LaunchReport): object {
  const findings = (severity: string) =>
    checks.flatMap(({ name, findings: all }) =>
      all
        .filter((one) => one.severity === severity)
        .map(({ problem, fix, ownerQuestion }) => ({ check: name, problem, fix, owner_question: ownerQuestion })),
    )
  const drills = checks.find(({ name }) => name === 'drills')
  return {
    verdict,
    checks: {
      ...Object.fromEntries(checks.map((check) => [check.name, checkData(check)])),
      ...(drills === undefined ? {} : { docker_drills: checkData(drills) }),
    },
    blocking: findings('failed'),
    degraded: findings('degraded'),
    skipped: checks.flatMap(({ name, skipped }) =>
      skipped.map(({ subject, reason, isOpen }) => ({ check: name, subject, reason, is_open: isOpen })),
    ),
  }
}

const TONES: Readonly<Record<string, Tone>> = {
  ok: 'good',
  ready: 'good',
  degraded: 'warning',
  skipped: 'muted',
  failed: 'bad',
  not_ready: 'bad',
}

function show(report: LaunchReport): CommandResult {
  const { verdict, checks } = report
  const toned = (word: string) => ({ text: word, tone: TONES[word] ?? 'plain' })
  const items = checks.flatMap(({ name, findings }) =>
    findings.flatMap(({ severity, problem, fix, ownerQuestion }): Block[] => [
      { kind: 'text', text: `${name}: ${problem}`, tone: severity === 'failed' ? 'bad' : 'warning' },
      { kind: 'list', items: [`fix: ${fix}`, `owner: ${ownerQuestion}`] },
    ]),
  )
  const listed = (title: string, all: readonly string[]): Block[] =>
    all.length === 0
      ? []
      : [
          { kind: 'title', text: title },
          { kind: 'list', items: all },
        ]
  const blocks: Block[] = [
    { kind: 'pairs', pairs: [['verdict', toned(verdict)]] },
    {
      kind: 'table',
      columns: [{ title: 'CHECK' }, { title: 'STATUS' }, { title: 'LOOKED AT' }],
      rows: checks.map(({ name, status, lookedAt }) => [name, toned(status), lookedAt[0] ?? '']),
      whenEmpty: '',
    },
    ...items,
    ...listed(
      'Not looked at',
      checks.flatMap(({ name, skipped }) => skipped.map(({ subject, reason }) => `${name}: ${subject}: ${reason}`)),
    ),
    ...listed(
      'Worth knowing',
      checks.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`)),
    ),
  ]
  return { ok: verdict !== 'not_ready', data: launchData(report), blocks }
}
