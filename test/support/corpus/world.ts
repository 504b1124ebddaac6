/** Everything in a server that a read must leave as it was, as a map of named facts that two moments can be compared by. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from 'pg'

/** Fact → value, such as `table public.orders` → `1500 rows, digest 8123…`. */
export type World = ReadonlyMap<string, string>

interface Fact {
  readonly name: string
  readonly value: string | null
}

/**
 * Content of every table of every schema (the catalog, roles, settings of roles and databases, large objects and the planner's
 * statistics among them), sequences, the next transaction id, locks, slots, origins, and when statistics were last reset.
 *
 * Effects: reads only; takes about a third of a second on the shop
 */
export async function readServer(client: Client): Promise<Map<string, string>> {
  const tables = await client.query<{ sql: string }>(TABLE_DIGESTS)
  const facts = await client.query<Fact>(tables.rows.map(({ sql }) => sql).join(' UNION ALL '))
  const rest = await client.query<Fact>(SERVER_FACTS)
  return new Map([...facts.rows, ...rest.rows].map(({ name, value }) => [name, value ?? 'NULL']))
}

/** What belongs to the session itself: every setting, who it is, channels, prepared statements, cursors. Outside a transaction. */
export async function readSession(client: Client): Promise<Map<string, string>> {
  const facts = await client.query<Fact>(SESSION_FACTS)
  return new Map(facts.rows.map(({ name, value }) => [name, value ?? 'NULL']))
}

/** Folders of table storage, WAL and the like. Nobody walks them: what the server removes there meanwhile would end the walk. */
const STORAGE = ['base', 'global', 'pg_wal', 'pg_stat_tmp', 'pg_xact', 'pg_subtrans', 'pg_multixact']

function namesIn(dataFolder: string): string[] {
  return readdirSync(dataFolder, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory() || STORAGE.includes(entry.name)) return [entry.name]
    const below = readdirSync(join(dataFolder, entry.name), { recursive: true, encoding: 'utf8' })
    return [entry.name, ...below.map((name) => `${entry.name}/${name}`)]
  })
}

/** Names of all files of the server outside of table storage and WAL, and the content of its configuration. */
export function readFiles(dataFolder: string): Map<string, string> {
  const world = new Map([['files', namesIn(dataFolder).toSorted().join('\n')]])
  for (const name of ['postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf', 'pg_ident.conf', 'PG_VERSION']) {
    const content = readFileSync(join(dataFolder, name))
    world.set(`file ${name}`, createHash('sha256').update(content).digest('hex'))
  }
  return world
}

/** One line for each fact that differs. Throws Error when either side holds no facts. */
export function differencesOfWorlds(before: World, after: World): string[] {
  if (before.size === 0 || after.size === 0) throw new Error('a world without facts compares nothing')
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${name}: ${short(before.get(name))} → ${short(after.get(name))}`)
}

function short(value: string | undefined): string {
  return value === undefined ? 'absent' : value.length > 120 ? `${value.slice(0, 120)}…` : value
}

/** One SELECT for each table, materialized view and sequence; rows are summed, so their order does not count. */
const TABLE_DIGESTS = `
  SELECT format(
    CASE c.relkind
      WHEN 'S' THEN 'SELECT %L AS name, last_value || '' '' || is_called || '' '' || log_cnt AS value FROM %I.%I'
      ELSE 'SELECT %L, count(*) || '' rows, digest '' || coalesce(sum(hashtextextended(r::text, 0)), 0)
        FROM ONLY %I.%I r'
    END,
    CASE c.relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || n.nspname || '.' || c.relname, n.nspname, c.relname) AS sql
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm', 'S') AND n.nspname !~ '^pg_(toast|temp)'
  ORDER BY c.relkind = 'S' DESC, n.nspname, c.relname`

const SERVER_FACTS = `
  SELECT 'next transaction id' AS name, pg_snapshot_xmax(pg_current_snapshot())::text AS value
  UNION ALL SELECT 'configuration loaded at', pg_conf_load_time()::text
  UNION ALL SELECT 'started at', pg_postmaster_start_time()::text
  UNION ALL SELECT 'statistics of ' || coalesce(datname, 'shared objects'), stats_reset::text FROM pg_stat_database
  UNION ALL SELECT 'statistics of bgwriter', stats_reset::text FROM pg_stat_bgwriter
  UNION ALL SELECT 'statistics of checkpointer', stats_reset::text FROM pg_stat_checkpointer
  UNION ALL SELECT 'statistics of archiver', stats_reset::text FROM pg_stat_archiver
  UNION ALL SELECT 'statistics of wal', stats_reset::text FROM pg_stat_wal
  UNION ALL SELECT 'statistics of recovery prefetch', stats_reset::text FROM pg_stat_recovery_prefetch
  UNION ALL SELECT 'statistics of slru ' || name, stats_reset::text FROM pg_stat_slru
  UNION ALL SELECT 'statistics of io', min(stats_reset)::text || max(stats_reset)::text FROM pg_stat_io
  UNION ALL SELECT 'slot ' || slot_name, restart_lsn::text || coalesce(confirmed_flush_lsn::text, '') FROM pg_replication_slots
  UNION ALL SELECT 'origin ' || external_id, remote_lsn::text FROM pg_replication_origin_status
  UNION ALL SELECT 'prepared transactions', count(*)::text FROM pg_prepared_xacts
  UNION ALL SELECT 'advisory locks', count(*)::text FROM pg_locks WHERE locktype = 'advisory'
  UNION ALL SELECT 'locks on tables', count(*)::text FROM pg_locks WHERE locktype = 'relation' AND pid <> pg_backend_pid()
  UNION ALL SELECT 'notifications queued', pg_notification_queue_usage()::text
  UNION ALL SELECT 'exported snapshots', count(*)::text FROM pg_ls_dir('pg_snapshots')
  UNION ALL SELECT 'in backup', (SELECT count(*) FROM pg_ls_dir('.') f WHERE f LIKE 'backup_label%')::text
  UNION ALL SELECT 'process ' || pid || ' ' || backend_type, backend_start::text || ' ' || coalesce(state, '') || ' ' || coalesce(query, '')
    FROM pg_stat_activity WHERE application_name = 'witness' OR backend_type NOT IN ('client backend', 'parallel worker', 'autovacuum worker')`

const SESSION_FACTS = `
  SELECT 'setting ' || name AS name, setting AS value FROM pg_settings
  UNION ALL SELECT 'user', session_user || ' as ' || current_user
  UNION ALL SELECT 'schemas', current_schemas(true)::text
  UNION ALL SELECT 'channels', string_agg(c, ',') FROM pg_listening_channels() c
  UNION ALL SELECT 'prepared statements', count(*)::text FROM pg_prepared_statements WHERE from_sql
  UNION ALL SELECT 'cursors', count(*)::text FROM pg_cursors WHERE is_holdable
  UNION ALL SELECT 'advisory locks', count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()`
