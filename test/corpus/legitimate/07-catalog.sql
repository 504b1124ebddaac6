-- name: tables with sizes
SELECT c.relname, pg_size_pretty(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY pg_total_relation_size(c.oid) DESC LIMIT 10
-- name: size functions
SELECT pg_relation_size('orders'), pg_table_size('orders'), pg_indexes_size('orders'), pg_database_size(current_database()), pg_size_bytes('1 MB')
-- name: information_schema tables
SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
-- name: information_schema columns
SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_name = 'orders' ORDER BY ordinal_position
-- name: information_schema constraints
SELECT tc.constraint_name, kcu.column_name, ccu.table_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu USING (constraint_name) JOIN information_schema.constraint_column_usage ccu USING (constraint_name) WHERE tc.constraint_type = 'FOREIGN KEY'
-- name: information_schema views and routines
SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'public' UNION ALL SELECT table_name FROM information_schema.views WHERE table_schema = 'public' LIMIT 20
-- name: schemas as a client lists them
SELECT n.nspname, pg_catalog.pg_get_userbyid(n.nspowner) FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1
-- name: relations as a client lists them
SELECT n.nspname AS "Schema", c.relname AS "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'p' THEN 'partitioned table' END AS "Type", pg_catalog.pg_get_userbyid(c.relowner) AS "Owner" FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', '') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1, 2
-- name: one relation by pattern
SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname OPERATOR(pg_catalog.~) '^(orders)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3
-- name: columns as a client describes them
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull, (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation, a.attidentity, a.attgenerated FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'public.orders'::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
-- name: indexes of a table
SELECT c2.relname, i.indisprimary, i.indisunique, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true), pg_catalog.pg_get_constraintdef(con.oid, true) FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid) WHERE c.oid = 'orders'::regclass AND c.oid = i.indrelid AND i.indexrelid = c2.oid ORDER BY 1
-- name: foreign keys of a table
SELECT conname, conrelid::pg_catalog.regclass, pg_catalog.pg_get_constraintdef(oid, true) FROM pg_catalog.pg_constraint WHERE confrelid = 'orders'::regclass AND contype = 'f'
-- name: triggers and rules
SELECT t.tgname, pg_catalog.pg_get_triggerdef(t.oid, true) FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal UNION ALL SELECT rulename, pg_get_ruledef(oid) FROM pg_rewrite WHERE rulename <> '_RETURN' LIMIT 10
-- name: functions as a client lists them
SELECT n.nspname, p.proname, pg_catalog.pg_get_function_result(p.oid), pg_catalog.pg_get_function_arguments(p.oid), p.provolatile FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public' AND p.proname LIKE 'order%'
-- name: source of a function
SELECT pg_get_functiondef('order_value'::regproc), prosrc FROM pg_proc WHERE oid = 'customer_tier(integer)'::regprocedure
-- name: definition of a view
SELECT pg_get_viewdef('active_customers'::regclass, true), definition FROM pg_views WHERE viewname = 'order_totals'
-- name: comments
SELECT obj_description('customers'::regclass, 'pg_class'), col_description('customers'::regclass, 8), shobj_description((SELECT oid FROM pg_database WHERE datname = current_database()), 'pg_database')
-- name: enum labels
SELECT t.typname, e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid ORDER BY t.typname, e.enumsortorder
-- name: types and domains
SELECT typname, typtype, format_type(typbasetype, typtypmod) FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e', 'r') ORDER BY 1
-- name: sequences
SELECT sequencename, last_value, increment_by FROM pg_sequences WHERE schemaname = 'public'
-- name: a sequence as a table
SELECT last_value, is_called FROM invoice_numbers
-- name: last value of a sequence
SELECT pg_sequence_last_value('invoice_numbers'::regclass), pg_sequence_parameters('invoice_numbers'::regclass)
-- name: serial sequence of a column
SELECT pg_get_serial_sequence('orders', 'id')
-- name: partitions
SELECT relid, parentrelid, isleaf, level FROM pg_partition_tree('events')
-- name: partition bounds
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(i.inhparent) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'events'::regclass
-- name: partition ancestors
SELECT * FROM pg_partition_ancestors('events_2026_q1'), pg_partition_root('events_2026_q1')
-- name: extensions
SELECT e.extname, e.extversion, n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY 1
-- name: available extensions
SELECT name, default_version, comment FROM pg_available_extensions ORDER BY name LIMIT 5
-- name: roles
SELECT r.rolname, r.rolsuper, r.rolcanlogin, ARRAY(SELECT b.rolname FROM pg_auth_members m JOIN pg_roles b ON m.roleid = b.oid WHERE m.member = r.oid) AS memberof FROM pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1
-- name: privileges
SELECT has_table_privilege('orders', 'SELECT'), has_schema_privilege('public', 'USAGE'), has_column_privilege('orders', 'id', 'UPDATE'), has_database_privilege(current_database(), 'CONNECT'), has_function_privilege('order_value(bigint)', 'EXECUTE'), pg_has_role('postgres', 'USAGE')
-- name: grants
SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = 'orders' UNION SELECT a.grantee::regrole::text, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a WHERE c.relname = 'customers'
-- name: policies
SELECT policyname, cmd, qual FROM pg_policies WHERE tablename = 'support_tickets'
-- name: row security
SELECT row_security_active('support_tickets'), relrowsecurity FROM pg_class WHERE relname = 'support_tickets'
-- name: settings
SELECT name, setting, unit, source FROM pg_settings WHERE category LIKE 'Resource%' ORDER BY name LIMIT 10
-- name: current_setting
SELECT current_setting('work_mem'), current_setting('backstop.missing', true)
-- name: who and where am I
SELECT current_user, session_user, current_role, user, current_catalog, current_database(), current_schema, current_schemas(true), version(), pg_backend_pid() > 0
-- name: connection
SELECT inet_client_addr(), inet_server_port(), pg_postmaster_start_time() < now(), pg_conf_load_time() IS NOT NULL
-- name: server state
SELECT pg_is_in_recovery(), pg_current_wal_lsn() IS NOT NULL, pg_last_wal_replay_lsn(), pg_is_wal_replay_paused IS NULL FROM (SELECT NULL AS pg_is_wal_replay_paused) s
-- name: activity
SELECT pid, usename, state, wait_event_type, query_start, left(query, 60) FROM pg_stat_activity WHERE state <> 'idle'
-- name: blocking
SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0
-- name: locks
SELECT locktype, relation::regclass, mode, granted FROM pg_locks WHERE pid = pg_backend_pid()
-- name: table statistics
SELECT relname, n_live_tup, n_dead_tup, last_analyze, seq_scan, idx_scan FROM pg_stat_user_tables ORDER BY n_live_tup DESC LIMIT 10
-- name: index statistics
SELECT relname, indexrelname, idx_scan FROM pg_stat_user_indexes WHERE idx_scan = 0
-- name: input and output statistics
SELECT relname, heap_blks_read, heap_blks_hit FROM pg_statio_user_tables ORDER BY heap_blks_read DESC LIMIT 5
-- name: database statistics
SELECT datname, xact_commit, blks_hit::float / nullif(blks_hit + blks_read, 0), pg_stat_get_db_deadlocks(oid) FROM pg_stat_database JOIN pg_database USING (datname) WHERE datname = current_database()
-- name: background statistics
SELECT (SELECT count(*) FROM pg_stat_bgwriter), (SELECT count(*) FROM pg_stat_checkpointer), (SELECT count(*) FROM pg_stat_wal), (SELECT count(*) FROM pg_stat_io), (SELECT count(*) FROM pg_stat_archiver)
-- name: replication
SELECT (SELECT count(*) FROM pg_stat_replication), (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_stat_subscription)
-- name: progress views
SELECT count(*) FROM pg_stat_progress_vacuum UNION ALL SELECT count(*) FROM pg_stat_progress_create_index
-- name: planner statistics
SELECT attname, n_distinct, null_frac, most_common_vals::text FROM pg_stats WHERE tablename = 'orders' ORDER BY 1
-- name: row estimates
SELECT relname, reltuples::bigint, relpages FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC
-- name: names to oids
SELECT to_regclass('public.orders'), to_regtype('order_status'), 'orders'::regclass::oid, to_regclass('missing') IS NULL, to_regnamespace('reporting'), to_regrole('postgres')
-- name: dependencies
SELECT classid::regclass, pg_describe_object(classid, objid, objsubid), deptype FROM pg_depend WHERE refobjid = 'orders'::regclass LIMIT 10
-- name: object addresses
SELECT (pg_identify_object('pg_class'::regclass, 'orders'::regclass, 0)).identity, pg_filenode_relation(0, 0)
-- name: transaction state
SELECT pg_current_xact_id_if_assigned(), pg_current_snapshot(), txid_current_if_assigned(), pg_snapshot_xmin(pg_current_snapshot()) IS NOT NULL, age(datfrozenxid) FROM pg_database LIMIT 1
-- name: key words and collations
SELECT (SELECT count(*) FROM pg_get_keywords()), (SELECT count(*) FROM pg_collation), pg_encoding_to_char(encoding), pg_client_encoding() FROM pg_database LIMIT 1
-- name: cursors and statements of the session
SELECT (SELECT count(*) FROM pg_cursors), (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_prepared_xacts)
-- name: casts and operators
SELECT (SELECT count(*) FROM pg_cast), (SELECT count(*) FROM pg_operator), (SELECT count(*) FROM pg_aggregate), (SELECT count(*) FROM pg_opclass)
-- name: tablespaces
SELECT spcname, pg_tablespace_location(oid) FROM pg_tablespace
-- name: wait events
SELECT type, count(*) FROM pg_wait_events GROUP BY type
-- name: listening channels
SELECT * FROM pg_listening_channels()
-- name: bloat estimate
SELECT relname, round(n_dead_tup * 100.0 / nullif(n_live_tup + n_dead_tup, 0), 1) FROM pg_stat_all_tables WHERE schemaname = 'public'
-- name: unused columns of a view
SELECT attname FROM pg_attribute WHERE attrelid = 'order_totals'::regclass AND attnum > 0
-- name: relation kind counts
SELECT relkind, relpersistence, count(*) FROM pg_class GROUP BY 1, 2 ORDER BY 3 DESC
-- name: pg_relation_filepath
SELECT pg_relation_filenode('orders') IS NOT NULL, pg_relation_filepath('orders') IS NOT NULL
-- name: toast and storage options
SELECT relname, reloptions, pg_options_to_table(reloptions) FROM pg_class WHERE reloptions IS NOT NULL LIMIT 3
