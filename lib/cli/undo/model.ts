/** The report of an undo as the gateway sends it. */
export interface ShownRow {
  readonly table: string
  readonly action: 'reinsert' | 'restore' | 'remove'
  readonly key: Readonly<Record<string, string | null>>
  readonly columns: Readonly<Record<string, { readonly from: string | null; readonly to: string | null }>>
  readonly conflict: { readonly kind: 'changed' | 'missing' | 'exists'; readonly columns: readonly string[] } | null
}

export interface ShownUndo {
  readonly status: 'planned' | 'undone' | 'conflict'
  readonly audit_id: string
  readonly undo_audit_id: string
  readonly conflict_policy: 'fail' | 'skip'
  readonly row_count: number
  readonly reversed_count: number
  readonly conflict_count: number
  readonly rows: readonly ShownRow[]
  readonly rows_left_out: number
  readonly quiet_triggers: readonly string[]
}
