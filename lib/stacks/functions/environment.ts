/** The environment of each function: only the names that its permissions give it a use for. */
import type { Environment } from '../config/model.ts'
import type { FunctionRow, Permission } from './model.ts'
import type { Places } from './places.ts'

/** Tuning names by the permission whose holders read them. */
const TUNING_BY_PERMISSION: Readonly<Partial<Record<Permission, readonly string[]>>> = {
  'database:connect': [
    'BACKSTOP_SEARCH_PATH',
    'BACKSTOP_STATEMENT_TIMEOUT_MS',
    'BACKSTOP_LOCK_TIMEOUT_MS',
    'BACKSTOP_ASSESS_TIMEOUT_MS',
    'BACKSTOP_MAX_ROWS',
    'BACKSTOP_MAX_BYTES',
    'BACKSTOP_SNAPSHOT_INTERVAL_SECONDS',
    'BACKSTOP_SNAPSHOT_TABLES',
    'BACKSTOP_SNAPSHOT_MAX_ROW_MEGABYTES',
    'BACKSTOP_COMPARE_BUDGET_MEGABYTES',
    'BACKSTOP_SNAPSHOT_MAX_FAILURES',
    'BACKSTOP_PUBLIC_METRICS',
  ],
  'snapshots:remove': [
    'BACKSTOP_RETENTION_KEEP_LAST',
    'BACKSTOP_RETENTION_KEEP_DAYS',
    'BACKSTOP_RETENTION_KEEP_HOURLY',
    'BACKSTOP_RETENTION_KEEP_DAILY',
    'BACKSTOP_RETENTION_KEEP_WEEKLY',
    'BACKSTOP_RETENTION_KEEP_MONTHLY',
    'BACKSTOP_RETENTION_FINAL_DAYS',
    'BACKSTOP_RETENTION_QUARANTINE_DAYS',
  ],
  'undo:add': ['BACKSTOP_UNDO', 'BACKSTOP_UNDO_MAX_ROWS', 'BACKSTOP_UNDO_RETENTION_DAYS'],
  'config:read': [
    'BACKSTOP_POLICY_SAFE',
    'BACKSTOP_POLICY_LOW',
    'BACKSTOP_POLICY_HIGH',
    'BACKSTOP_POLICY_IMPACT_CRITICAL',
    'BACKSTOP_POLICY_CRITICAL',
  ],
  'records:read': ['BACKSTOP_APPROVAL_TIMEOUT_SECONDS', 'BACKSTOP_RATE_PER_SECOND'],
  'snapshots:read': ['BACKSTOP_VERIFY_BUDGET_MEGABYTES', 'BACKSTOP_DRILL_MAX_MEGABYTES'],
  'tokens:read': ['BACKSTOP_TOKEN_CACHE_SECONDS'],
  'queue.part:send': ['BACKSTOP_FANOUT_MEGABYTES', 'BACKSTOP_FANOUT_WORKERS'],
}

/** Every tuning name that some function reads. */
export const TUNING: readonly string[] = Object.values(TUNING_BY_PERMISSION).flat()

function databaseEnvironment(environment: Environment): Record<string, string> {
  const { database } = environment
  return {
    BACKSTOP_DB_HOST: database.host,
    BACKSTOP_DB_PORT: String(database.port),
    BACKSTOP_DB_NAME: database.name,
    BACKSTOP_DB_USER: database.user,
    BACKSTOP_DB_TLS: database.tls,
    BACKSTOP_DB_AUTH: database.auth.kind === 'rds-iam' ? 'iam' : 'secret',
    ...(database.auth.kind === 'secret' && { BACKSTOP_DB_SECRET: database.auth.secretArn }),
    ...(database.agentRole !== undefined && { BACKSTOP_AGENT_ROLE: database.agentRole }),
  }
}

function taskEnvironment({ captureTask }: Environment, { taskQueue }: Places): Record<string, string> {
  if (captureTask === undefined || taskQueue === undefined) return {}
  return {
    BACKSTOP_TASK_QUEUE_URL: taskQueue.url,
    BACKSTOP_TASK_ABOVE_MEGABYTES: String(captureTask.aboveMegabytes),
  }
}

/** What one permission needs to be told. */
function namesFor(permission: Permission, environment: Environment, places: Places): Record<string, string> {
  const { queues } = places
  const byPermission: Partial<Record<Permission, Record<string, string>>> = {
    'records:read': { BACKSTOP_TABLE: places.table.name },
    'records:write': { BACKSTOP_TABLE: places.table.name },
    'snapshots:add': { BACKSTOP_SNAPSHOT_BUCKET: places.snapshots.name },
    'snapshots:read': { BACKSTOP_SNAPSHOT_BUCKET: places.snapshots.name },
    'sets:add': { BACKSTOP_SNAPSHOT_BUCKET: places.snapshots.name },
    'sets:read': { BACKSTOP_SNAPSHOT_BUCKET: places.snapshots.name },
    'snapshots:remove': { BACKSTOP_SNAPSHOT_BUCKET: places.snapshots.name },
    'drills:add': { BACKSTOP_SNAPSHOT_BUCKET: places.snapshots.name },
    'drills:read': { BACKSTOP_SNAPSHOT_BUCKET: places.snapshots.name },
    'wal:read': { BACKSTOP_SNAPSHOT_BUCKET: places.snapshots.name },
    'undo:add': { BACKSTOP_SNAPSHOT_BUCKET: places.snapshots.name },
    'undo:read': { BACKSTOP_SNAPSHOT_BUCKET: places.snapshots.name },
    'audit:append': { BACKSTOP_AUDIT_BUCKET: places.audit.name },
    'audit:read': { BACKSTOP_AUDIT_BUCKET: places.audit.name },
    'config:read': { BACKSTOP_CONFIG_BUCKET: places.config.name },
    'tokens:read': { BACKSTOP_TOKENS_SECRET: places.tokensSecretArn },
    'webhooks:read':
      places.webhookSecretArn === undefined ? {} : { BACKSTOP_ALERT_WEBHOOK_SECRET: places.webhookSecretArn },
    'topic:publish': { BACKSTOP_ALERT_TOPIC_ARN: places.topicArn },
    'queue.run:send': { BACKSTOP_RUN_QUEUE_URL: queues.run.url },
    'queue.capture:send': { BACKSTOP_CAPTURE_QUEUE_URL: queues.capture.url },
    'queue.part:send': { BACKSTOP_PART_QUEUE_URL: queues.part.url },
    'queue.part:receive': { BACKSTOP_PART_QUEUE_URL: queues.part.url },
    'queue.alert:send': { BACKSTOP_ALERT_QUEUE_URL: queues.alert.url },
    'queue.run:receive': { BACKSTOP_RUN_QUEUE_URL: queues.run.url },
    'queue.capture:receive': { BACKSTOP_CAPTURE_QUEUE_URL: queues.capture.url },
    'queue.alert:receive': { BACKSTOP_ALERT_QUEUE_URL: queues.alert.url },
    'queue.task:send': taskEnvironment(environment, places),
    'database:connect': databaseEnvironment(environment),
  }
  return byPermission[permission] ?? {}
}

function tuningFor(permission: Permission, environment: Environment): Record<string, string> {
  const known = TUNING_BY_PERMISSION[permission] ?? []
  return Object.fromEntries(Object.entries(environment.settings).filter(([key]) => known.includes(key)))
}

export function environmentOf(row: FunctionRow, environment: Environment, places: Places): Record<string, string> {
  const named = permissionsOf(row).map((permission) => ({
    ...namesFor(permission, environment, places),
    ...tuningFor(permission, environment),
  }))
  return Object.assign(
    {
      BACKSTOP_ENVIRONMENT: environment.name,
      BACKSTOP_CLUSTER_ID: environment.clusterId,
    },
    ...named,
  )
}

/** What the row lists and what its trigger brings with it. */
export function permissionsOf(row: FunctionRow): readonly Permission[] {
  return row.trigger.kind === 'queue' ? [...row.permissions, `queue.${row.trigger.queue}:receive`] : row.permissions
}
