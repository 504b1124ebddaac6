/** What operators are told of tables that are gone, and of tables whose points are old. */
import { displayRelation, epochMsOf, type JsonObject, quoteIdentifier, SECOND_MS } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { RecoveryAlert } from '../alert.ts'
import type { StaleTable } from './run-tables.ts'
import type { DroppedTable, TableLook } from './table-model.ts'

const MOST_NAMED = 20

/** One per table; one per schema that went with all of its tables; one for a whole database that is another. */
export function droppedAlerts(
  { dropped, replacedDatabase, since }: Pick<TableLook, 'dropped' | 'replacedDatabase' | 'since'>,
  nowMs: number,
): readonly RecoveryAlert[] {
  if (replacedDatabase !== null) {
    const names = replacedDatabase.tables.map(({ relation }) => displayRelation(relation))
    return [databaseAlert(names, since)]
  }
  const bySchema = Map.groupBy(
    dropped.filter(({ isSchemaGone }) => isSchemaGone),
    ({ table }) => table.relation.schema,
  )
  const whole = [...bySchema].filter(([, tables]) => tables.length > 1)
  const told = new Set(whole.flatMap(([, tables]) => tables))
  return [
    ...whole.map(([schema, tables]) => schemaAlert(schema, tables, nowMs)),
    ...dropped.filter((one) => !told.has(one)).map((one) => tableAlert(one, nowMs)),
  ]
}

function tableAlert(dropped: DroppedTable, nowMs: number): RecoveryAlert {
  const { table, replacedByOid, point } = dropped
  const name = displayRelation(table.relation)
  const isReplaced = replacedByOid !== null
  return {
    severity: isReplaced ? 'warning' : 'critical',
    eventType: 'table_drop_detected',
    title: isReplaced
      ? `The table ${name} was dropped, and another one has its name`
      : `The table ${name} was dropped, and not through the gateway`,
    recommendedAction: adviceFor(dropped),
    facts: { table: name, oid: table.oid, replacedByOid, ...pointFacts(point, nowMs) },
    dedupeKey: `dropped:${table.oid}`,
  }
}

function schemaAlert(schema: string, tables: readonly DroppedTable[], nowMs: number): RecoveryAlert {
  const withPoint = tables.filter(({ point }) => point !== null)
  const names = tables.map(({ table }) => displayRelation(table.relation))
  return {
    severity: 'critical',
    eventType: 'table_drop_detected',
    title: `All ${tables.length} tables of the schema ${schema} were dropped, and not through the gateway`,
    recommendedAction: `Stop who did it. ${withPoint.length} of ${tables.length} tables have a valid recovery point: "backstop recover --table <schema.table>" for each, or the whole database with "backstop recover --type pitr".`,
    facts: {
      schema,
      table: names[0] ?? null,
      tables: names.slice(0, MOST_NAMED),
      tableCount: tables.length,
      recoveryPointAvailable: withPoint.length === tables.length,
      tablesWithRecoveryPoint: withPoint.length,
      snapshotIds: withPoint.slice(0, MOST_NAMED).map(({ point }) => point?.snapshotId ?? ''),
      snapshotAgeSeconds: Math.max(0, ...withPoint.map(({ point }) => ageSeconds(point, nowMs) ?? 0)),
    },
    dedupeKey: `dropped-schema:${schema}:${tables[0]?.table.oid ?? 0}`,
  }
}

function databaseAlert(names: readonly string[], since: string | null): RecoveryAlert {
  return {
    severity: 'critical',
    eventType: 'database_replaced',
    title: `At the database's address there is another database now; the one before had ${names.length} tables`,
    recommendedAction:
      'If nobody moved it: the database was dropped and made anew, or the address leads elsewhere. See "backstop recover --type pitr" and "--type logical"; the recovery points of its tables are kept.',
    facts: { tables: names.slice(0, MOST_NAMED), tableCount: names.length, lastSeenAt: since },
    dedupeKey: 'database-replaced',
  }
}

function adviceFor({ table, point, replacedByOid }: DroppedTable): string {
  if (point === null) {
    return 'No valid recovery point of it is known. Stop writes, and recover the database with "backstop recover --type pitr" or "--type logical".'
  }
  const { schema, name } = table.relation
  const line = `backstop recover --table ${shellWord(`${plainName(schema)}.${plainName(name)}`)} --snapshot-id ${point.snapshotId} --storage "$BACKSTOP_STORAGE_URL" --db "$BACKSTOP_DB_URL"`
  const first =
    replacedByOid === null ? 'Stop who did it, then bring it back' : 'If it was no migration, bring the old rows back'
  return `${first}: ${line}`
}

function pointFacts(point: RecoveryPoint | null, nowMs: number): JsonObject {
  return {
    recoveryPointAvailable: point !== null,
    snapshotId: point?.snapshotId ?? null,
    snapshotAgeSeconds: ageSeconds(point, nowMs),
    rows: point?.rowCount ?? null,
    manifestKey: point?.manifestKey ?? null,
  }
}

function ageSeconds(point: RecoveryPoint | null, nowMs: number): number | null {
  if (point === null) return null
  return Math.max(0, Math.round((nowMs - epochMsOf(point.confirmedAt ?? point.capturedAt)) / SECOND_MS))
}

/** As the command line reads it back: quoted only where it has to be. */
function plainName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name)
}

function shellWord(text: string): string {
  return /^[\w.]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

export function staleAlert({ relation, point, ageMs }: StaleTable): RecoveryAlert {
  const table = displayRelation(relation)
  return {
    severity: 'warning',
    eventType: 'snapshot_stale',
    title: `The newest recovery point of ${table} is too old`,
    recommendedAction: 'Look whether captures are carried out at all, and how long the one of this table takes.',
    facts: { table, snapshotId: point.snapshotId, snapshotAgeSeconds: Math.round(ageMs / SECOND_MS) },
    dedupeKey: `stale:${table}`,
  }
}
