/** The recovery settings of a prepared data folder. Pure. */
import type { PrepareOrder } from './model.ts'

/** Settings of an earlier recovery, which the backed-up server may still carry; two targets would stop the start. */
const OF_RECOVERY =
  /^\s*(?:recovery_\w+|restore_command|archive_cleanup_command|primary_conninfo|primary_slot_name|promote_trigger_file)\s*[= ]/i

/** Inside single quotes of postgresql.conf. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

type RecoveryOrder = Pick<PrepareOrder, 'target' | 'targetAction' | 'targetTimeline' | 'isArchiving' | 'restoreCommand'>

/** `postgresql.auto.conf` as it was, with this recovery and no other; its settings win over those of postgresql.conf. */
export function writeRecoverySettings(before: string, order: RecoveryOrder): string {
  const kept = before.split('\n').filter((line) => !OF_RECOVERY.test(line))
  while (kept.at(-1) === '') kept.pop()
  const { target } = order
  const settings: readonly (readonly [string, string])[] = [
    ['restore_command', order.restoreCommand],
    ['recovery_target_timeline', order.targetTimeline],
    ...(target === undefined
      ? []
      : ([
          [`recovery_target_${target.kind}`, target.text],
          ['recovery_target_action', order.targetAction],
        ] as const)),
    ...(order.isArchiving ? [] : ([['archive_mode', 'off']] as const)),
  ]
  const lines = settings.map(([name, value]) => `${name} = ${quote(value)}`)
  return [...kept, '# Recovery, written by "backstop pitr prepare-restore"', ...lines, ''].join('\n')
}
