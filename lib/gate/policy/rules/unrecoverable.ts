/** Destruction that no table snapshot brings back. */
import { isAtLeast } from '#lib/kernel/index.ts'
import type { PolicyRule } from '../model.ts'

export const unrecoverable: PolicyRule = {
  id: 'unrecoverable',
  summary: 'Blocks a CRITICAL or IMPACT_CRITICAL statement that destroys what table snapshots cannot bring back.',
  fields: ['block_unrecoverable_operations'],
  judge(facts, { policy }) {
    if (!policy.block_unrecoverable_operations || facts.recoverability !== 'impossible') return undefined
    if (!isAtLeast(facts.level, 'IMPACT_CRITICAL')) return undefined
    return {
      action: 'block',
      reason: `${facts.operation} cannot be undone from recovery points and is blocked by policy`,
    }
  },
}
