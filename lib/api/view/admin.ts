/** Pause, policy, quarantines and tokens as the API shows them. */
import type { ActivePolicy, PauseState, PolicyAction, Quarantine } from '#lib/gate/index.ts'
import type { RiskLevel } from '#lib/kernel/index.ts'
import { RISK_LEVELS } from '#lib/kernel/index.ts'
import type { TokenSummary } from '../token/index.ts'

export function pauseView(state: PauseState) {
  return {
    paused: state.paused,
    reason: state.reason,
    updated_at: state.changedAt,
    updated_by: state.changedBy,
    pause_blocks_safe: state.blocksSafe,
  }
}

function actionOf(level: RiskLevel, { policy, levelActions }: ActivePolicy): PolicyAction {
  return levelActions[level] ?? (policy.require_approval_for_risks.includes(level) ? 'approve' : 'execute')
}

/** The fields of the file, and what each level leads to with the environment's overrides applied. */
export function policyView(active: ActivePolicy) {
  const actions = Object.fromEntries(RISK_LEVELS.map((level) => [level, actionOf(level, active)]))
  return { version: active.version, actions, level_overrides: active.levelActions, ...active.policy }
}

export function quarantineView(quarantine: Quarantine) {
  const { principal, attempts, since, until } = quarantine
  return { principal, attempts, since, until }
}

export function tokenView(token: TokenSummary) {
  return {
    id: token.id,
    scopes: token.scopes,
    agent_ids: token.agentIds,
    description: token.description ?? null,
    expires_at: token.expiresAt ?? null,
  }
}
