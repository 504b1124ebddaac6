/** Functions that a READ ONLY transaction does not stop, or that do not fit a read, each with its level and reason. */
import type { RiskLevel } from '#lib/kernel/index.ts'
import type { TransactionMode } from '../model.ts'
import { VOLATILE_FUNCTIONS } from './catalog-functions.ts'

export interface Denial {
  readonly level: RiskLevel
  readonly code: string
  readonly reason: string
  readonly transaction?: TransactionMode
}

const serverFile = {
  level: 'CRITICAL',
  code: 'server-file',
  reason: 'reads or writes files of the database server',
} as const
const largeObject = { level: 'HIGH', code: 'large-object', reason: 'works on large objects' } as const
const hiddenSql = {
  level: 'CRITICAL',
  code: 'hidden-sql',
  reason: 'runs SQL or reads tables that are only known as text when it runs',
} as const
const otherServer = {
  level: 'CRITICAL',
  code: 'other-connection',
  reason: 'works over another connection, outside this transaction',
} as const
const otherSession = { level: 'CRITICAL', code: 'other-session', reason: 'ends the work of another session' } as const
const serverControl = { level: 'CRITICAL', code: 'server-control', reason: 'controls the server or its log' } as const
const replication = {
  level: 'CRITICAL',
  code: 'replication-control',
  reason: 'changes or consumes replication state',
} as const
const statistics = {
  level: 'HIGH',
  code: 'statistics-reset',
  reason: 'changes statistics that operations rely on',
} as const
const advisoryLock = {
  level: 'HIGH',
  code: 'advisory-lock',
  reason: 'takes or frees a lock that other sessions wait for',
} as const
const waiting = {
  level: 'HIGH',
  code: 'holds-connection',
  reason: 'keeps a connection busy without doing anything',
} as const
const sequence = {
  level: 'HIGH',
  code: 'sequence-change',
  reason: 'moves a sequence, which no rollback undoes',
} as const
const transactionId = {
  level: 'LOW',
  code: 'transaction-id',
  reason: 'assigns a transaction id',
  transaction: 'write',
} as const
const maintenance = { level: 'HIGH', code: 'index-maintenance', reason: 'changes an index' } as const
const catalogChange = { level: 'CRITICAL', code: 'catalog-change', reason: 'changes the catalog directly' } as const

/** By exact name. */
export const DENIED_FUNCTIONS: ReadonlyMap<string, Denial> = new Map<string, Denial>([
  ...names(serverFile, 'pg_read_file pg_read_binary_file pg_stat_file lo_import lo_export pg_file_read pg_file_write'),
  ...names(serverFile, 'pg_file_sync pg_file_rename pg_file_unlink pg_logdir_ls pg_current_logfile pg_hba_file_rules'),
  ...names(serverFile, 'pg_ident_file_mappings pg_show_all_file_settings'),
  ...names(largeObject, 'loread lowrite'),
  ...names(hiddenSql, 'query_to_xml query_to_xmlschema query_to_xml_and_xmlschema table_to_xml table_to_xmlschema'),
  ...names(hiddenSql, 'table_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema schema_to_xml schema_to_xmlschema'),
  ...names(hiddenSql, 'schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema'),
  ...names(hiddenSql, 'database_to_xml_and_xmlschema ts_stat connectby xpath_table'),
  ['ts_rewrite', { ...hiddenSql, reason: 'may run a query that is given as text' }],
  ...names(otherSession, 'pg_terminate_backend pg_cancel_backend'),
  ...names(serverControl, 'pg_reload_conf pg_rotate_logfile pg_promote pg_switch_wal pg_backup_start pg_backup_stop'),
  ...names(serverControl, 'pg_start_backup pg_stop_backup pg_log_backend_memory_contexts pg_log_standby_snapshot'),
  ...names(serverControl, 'pg_create_restore_point pg_stop_making_pinned_objects'),
  ...names(replication, 'pg_sync_replication_slots pg_replication_slot_advance pg_drop_replication_slot'),
  ...names(statistics, 'pg_clear_attribute_stats pg_clear_relation_stats pg_restore_attribute_stats'),
  ...names(statistics, 'pg_restore_relation_stats pg_stat_force_next_flush'),
  ...names(waiting, 'pg_sleep pg_sleep_for pg_sleep_until'),
  ['nextval', { ...sequence, level: 'LOW', reason: 'takes the next number of a sequence', transaction: 'write' }],
  ['setval', sequence],
  ...names(
    { level: 'HIGH', code: 'session-state', reason: 'depends on what an earlier caller of this session did' },
    'currval lastval',
  ),
  ...names(transactionId, 'txid_current pg_current_xact_id'),
  ...names(maintenance, 'brin_summarize_new_values brin_summarize_range brin_desummarize_range gin_clean_pending_list'),
  ...names(catalogChange, 'pg_import_system_collations pg_extension_config_dump pg_nextoid'),
  ['set_config', { level: 'HIGH', code: 'session-change', reason: 'changes a setting', transaction: 'never' }],
  ['setseed', { level: 'HIGH', code: 'session-change', reason: 'changes the next random numbers of the session' }],
  ['pg_notify', { level: 'HIGH', code: 'notification', reason: 'sends a notification to other sessions' }],
  [
    'pg_export_snapshot',
    { level: 'HIGH', code: 'session-state', reason: 'hands the snapshot of this transaction to others' },
  ],
])

/** By the beginning of the name, after the exact names. */
export const DENIED_PREFIXES: readonly (readonly [string, Denial])[] = [
  ['dblink', otherServer],
  ['postgres_fdw_', otherServer],
  ['lo_', largeObject],
  ['pg_ls_', serverFile],
  ['pg_stat_reset', statistics],
  ['pg_stat_statements_reset', statistics],
  ['pg_advisory_', advisoryLock],
  ['pg_try_advisory_', advisoryLock],
  ['pg_logical_', replication],
  ['pg_replication_', replication],
  ['pg_create_', replication],
  ['pg_drop_', replication],
  ['pg_copy_', replication],
  ['pg_wal_replay_', serverControl],
  ['binary_upgrade_', catalogChange],
]

function names(denial: Denial, list: string): [string, Denial][] {
  return list.split(' ').map((name) => [name, denial])
}

/** `lo_` is a beginning that users' own functions have too: there it has to be one of the server's. */
export function findDenial(name: string): Denial | undefined {
  const exact = DENIED_FUNCTIONS.get(name)
  if (exact !== undefined) return exact
  const [prefix, denial] = DENIED_PREFIXES.find(([beginning]) => name.startsWith(beginning)) ?? []
  return prefix === 'lo_' && !VOLATILE_FUNCTIONS.has(name) ? undefined : denial
}
