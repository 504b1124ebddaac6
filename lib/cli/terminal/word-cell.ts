/** Risk levels, actions and states in their colours. */
import type { PolicyAction } from '#lib/gate/index.ts'
import type { RiskLevel } from '#lib/kernel/index.ts'
import type { Cell, Tone } from './model.ts'

const RISK_TONES: Readonly<Record<RiskLevel, Tone>> = {
  SAFE: 'good',
  LOW: 'good',
  HIGH: 'warning',
  IMPACT_CRITICAL: 'bad',
  CRITICAL: 'bad',
}

const WORD_TONES: Readonly<Record<string, Tone>> = {
  execute: 'good',
  approve: 'warning',
  block: 'bad',
  pending: 'warning',
  approved: 'good',
  denied: 'bad',
  expired: 'muted',
  consumed: 'muted',
  valid: 'good',
  invalid: 'bad',
  quarantined: 'bad',
  executed: 'good',
  approval_required: 'warning',
  blocked: 'bad',
  failed: 'bad',
}

export function riskCell(level: RiskLevel): Cell {
  return { text: level, tone: RISK_TONES[level] }
}

export function actionCell(action: PolicyAction): Cell {
  return stateCell(action)
}

/** Any word of a closed list; one that is not known stays plain. */
export function stateCell(word: string): Cell {
  return { text: word, tone: WORD_TONES[word] ?? 'plain' }
}
