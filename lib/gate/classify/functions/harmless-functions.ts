/** VOLATILE functions of pg_catalog that may run in a read: they change nothing that outlives the statement. */

const REASONS: readonly (readonly [string, string])[] = [
  [
    'a new random value or the time; nothing is kept',
    'random random_normal array_sample array_shuffle gen_random_uuid',
  ],
  ['a new random value or the time; nothing is kept', 'uuidv4 uuidv7 clock_timestamp timeofday'],
  ['the size of an object, which may change while it is read', 'pg_relation_size pg_table_size pg_indexes_size'],
  ['the size of an object, which may change while it is read', 'pg_total_relation_size pg_database_size'],
  ['the size of an object, which may change while it is read', 'pg_tablespace_size'],
  ['the present state of the server', 'pg_is_in_recovery pg_is_wal_replay_paused pg_get_wal_replay_pause_state'],
  ['the present state of the server', 'pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn'],
  ['the present state of the server', 'pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp'],
  [
    'the present state of the server',
    'pg_last_committed_xact pg_xact_commit_timestamp pg_xact_commit_timestamp_origin',
  ],
  ['the present state of the server', 'pg_xact_status txid_status pg_jit_available pg_notification_queue_usage'],
  ['the present state of the server', 'pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system'],
  [
    'the present state of the server',
    'pg_blocking_pids pg_safe_snapshot_blocking_pids pg_lock_status pg_prepared_xact',
  ],
  ['the present state of the server', 'pg_get_multixact_members pg_get_wait_events pg_get_wal_resource_managers'],
  ['the present state of the server', 'pg_get_wal_summarizer_state pg_available_wal_summaries pg_wal_summary_contents'],
  ['the present state of the server', 'pg_get_backend_memory_contexts pg_get_shmem_allocations pg_get_aios'],
  ['the present state of the server', 'pg_get_shmem_allocations_numa pg_get_loaded_modules pg_sequence_last_value'],
  ['the present state of the server', 'pg_get_sequence_data pg_show_replication_origin_status'],
  [
    'counters of the statistics system',
    'pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_io pg_stat_have_stats',
  ],
  ['counters of the statistics system', 'pg_stat_get_recovery_prefetch pg_stat_get_xact_blocks_fetched'],
  ['counters of the statistics system', 'pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls'],
  ['counters of the statistics system', 'pg_stat_get_xact_function_self_time pg_stat_get_xact_function_total_time'],
  ['counters of the statistics system', 'pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted'],
  ['counters of the statistics system', 'pg_stat_get_xact_tuples_fetched pg_stat_get_xact_tuples_hot_updated'],
  ['counters of the statistics system', 'pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_newpage_updated'],
  ['counters of the statistics system', 'pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated'],
  ['counters of the statistics system', 'pg_stat_clear_snapshot'],
  ['the catalog', 'pg_partition_tree pg_partition_ancestors pg_collation_actual_version current_query amvalidate'],
  ['the catalog', 'pg_database_collation_actual_version'],
]

export const HARMLESS_VOLATILE: ReadonlyMap<string, string> = new Map(
  REASONS.flatMap(([reason, names]) => names.split(' ').map((name) => [name, reason] as const)),
)
