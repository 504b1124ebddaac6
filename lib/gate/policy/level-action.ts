/** What a risk level leads to, and the environment's overrides of it. */
import type { RiskLevel } from '#lib/kernel/index.ts'
import { BackstopError, RISK_LEVELS } from '#lib/kernel/index.ts'
import type { ActivePolicy, LevelActions, PolicyAction } from './model.ts'

export const POLICY_ACTIONS = ['execute', 'approve', 'block'] as const satisfies readonly PolicyAction[]

export function isStricter(left: PolicyAction, right: PolicyAction): boolean {
  return POLICY_ACTIONS.indexOf(left) > POLICY_ACTIONS.indexOf(right)
}

export function stricterOf(left: PolicyAction, right: PolicyAction): PolicyAction {
  return isStricter(right, left) ? right : left
}

/** The override of the level where there is one, else the approval list. */
export function actionOfLevel(level: RiskLevel, active: ActivePolicy): PolicyAction {
  const override = active.levelActions[level]
  if (override !== undefined) return override
  return active.policy.require_approval_for_risks.includes(level) ? 'approve' : 'execute'
}

/**
 * Read BACKSTOP_POLICY_SAFE, _LOW, _HIGH, _IMPACT_CRITICAL and _CRITICAL. An empty value counts as unset.
 *
 * Throws: `CONFIG_INVALID` naming the variable, also for a BACKSTOP_POLICY_<word> that is no level
 */
export function parseLevelActions(environment: Readonly<Record<string, string | undefined>>): LevelActions {
  const actions: Partial<Record<RiskLevel, PolicyAction>> = {}
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('BACKSTOP_POLICY_') || text === undefined || text.trim() === '') continue
    const level = RISK_LEVELS.find((known) => variable === `BACKSTOP_POLICY_${known}`)
    if (level === undefined) throw unknownVariable(variable)
    const action = POLICY_ACTIONS.find((known) => known === text.trim().toLowerCase())
    if (action === undefined) {
      throw new BackstopError('CONFIG_INVALID', `${variable} must be execute, approve or block`)
    }
    actions[level] = action
  }
  return actions
}

function unknownVariable(variable: string): BackstopError {
  const known = RISK_LEVELS.map((level) => `BACKSTOP_POLICY_${level}`).join(', ')
  return new BackstopError('CONFIG_INVALID', `${variable} is not a setting; there are ${known} and BACKSTOP_POLICY`)
}
