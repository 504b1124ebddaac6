/** The newest evidence of each kind of drill: was it tried, when, and how did it end. */
import { epochMsOf, instantFrom } from '#lib/kernel/index.ts'
import type { Clock, ObjectStore } from '#lib/ports/index.ts'
import {
  type DrillEvidence,
  type DrillKind,
  listBaseBackups,
  readEvidence,
  type StoredDrill,
} from '#lib/recovery/index.ts'
import { type CheckReport, Notebook } from './model.ts'

const DAY_MS = 86_400_000
const DAY_CHARACTERS = 10

export interface DrillLook {
  readonly clusterId: string | undefined
  readonly maxAgeDays: number
}

const COMMANDS: Readonly<Record<DrillKind, string>> = {
  'table-restore': 'backstop drill table-restore',
  'wal-archive-fetch': 'backstop drill wal-archive-fetch --cluster-id <name>',
  'pitr-prepare': 'backstop drill pitr-prepare --cluster-id <name> --simulate',
  'logical-backup-restore': 'backstop drill logical-backup-restore --source-db <url> --target-db <url>',
  'pitr-restore': 'backstop drill pitr-restore --cluster-id <name>',
}

/** From the evidence in the storage, each object against its own digest. */
export async function checkDrills(objects: ObjectStore, clock: Clock, look: DrillLook): Promise<CheckReport> {
  const notebook = new Notebook('drills')
  const sinceMs = clock.nowMs() - look.maxAgeDays * DAY_MS
  const sinceDay = instantFrom(sinceMs).slice(0, DAY_CHARACTERS)
  const { drills, problems } = await readEvidence(objects, { sinceDay })
  const recent = drills.filter(({ evidence }) => epochMsOf(evidence.startedAt) >= sinceMs)
  notebook.looked(`${recent.length} drills of the last ${look.maxAgeDays} days`)
  for (const { subject, reason } of problems) {
    notebook.fail(`evidence ${subject}: ${reason}`, 'Find out who writes to the storage besides Backstop.')
  }
  for (const kind of Object.keys(COMMANDS) as DrillKind[]) {
    const objection = await objectToKind(objects, kind, look)
    if (objection === undefined) judgeKind(kind, recent, look, notebook)
    else notebook.passOver(kind, objection)
  }
  return notebook.report()
}

/** Without a base backup there is nothing to recover a server from, and nobody has to. */
async function objectToKind(objects: ObjectStore, kind: DrillKind, { clusterId }: DrillLook) {
  if (kind !== 'pitr-restore') return undefined
  if (clusterId === undefined) return 'no --cluster-id was given'
  const { backups } = await listBaseBackups(objects, clusterId)
  return backups.length > 0 ? undefined : `there is no base backup of ${clusterId}`
}

function judgeKind(kind: DrillKind, drills: readonly StoredDrill[], { maxAgeDays }: DrillLook, notebook: Notebook) {
  const [newest] = drills.filter(({ evidence }) => evidence.kind === kind)
  if (newest === undefined) {
    notebook.degrade(`no drill ${kind} within ${maxAgeDays} days`, `Run it: ${COMMANDS[kind]}`)
    return
  }
  const { evidence, key } = newest
  notebook.looked(`${kind}: ${describe(evidence)}, ${key}`)
  if (evidence.result === 'ok') return
  const why = evidence.failure?.reason ?? evidence.skipped[0]?.reason ?? 'no reason was noted'
  const fix = `Read the evidence (${key}), mend it, and run it again: ${COMMANDS[kind]}`
  if (evidence.result === 'failed') notebook.fail(`the last drill ${kind} failed: ${why}`, fix)
  else notebook.degrade(`the last drill ${kind} proved nothing: ${why}`, fix)
}

function describe({ result, startedAt, rtoSeconds, rpoSeconds }: DrillEvidence): string {
  const seconds = (value: number | null) => (value === null ? '-' : `${value.toFixed(1)} s`)
  return `${result} at ${startedAt}, RTO ${seconds(rtoSeconds)}, RPO ${seconds(rpoSeconds)}`
}
