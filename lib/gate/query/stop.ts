/** What stops a request before the database is asked: pause, quarantine, text that cannot be judged. */
import { maxRisk } from '#lib/kernel/index.ts'
import type { PauseState } from '../pause/index.ts'
import { decide, describeFacts } from '../policy/index.ts'
import { blocked, type Outcome } from './answer.ts'
import { describeText } from './metadata.ts'
import type { GateParts } from './parts.ts'
import type { Submission } from './submission.ts'

const PAUSE_MESSAGE = 'The gateway is paused by an operator; the query was not executed.'
const QUARANTINE_MESSAGE = 'This principal is quarantined after repeated risky attempts; the query was not executed.'

export function isStoppedBy(pause: PauseState, isSafe: boolean): boolean {
  return pause.paused && (pause.blocksSafe || !isSafe)
}

/** Refuse because of the pause, and tell once in a while that somebody still tries. */
export async function pausedOutcome(
  parts: GateParts,
  submission: Submission,
  eventType: 'execution_blocked_paused' | 'approved_execution_blocked_paused' = 'execution_blocked_paused',
): Promise<Outcome> {
  parts.observer.noteBlock('paused')
  const { principal, request } = submission
  await parts.alerts.raise({
    severity: 'critical',
    eventType,
    title: `A statement of ${principal.name} was refused: the gateway is paused`,
    recommendedAction: 'Nothing was executed. When the cause of the pause is mended, resume with POST /admin/resume.',
    facts: { principal: principal.name, agentId: request.agentId },
    dedupeKey: `${eventType}:${principal.name}`,
  })
  const verdict = { action: 'block', rule: 'pause', reason: PAUSE_MESSAGE } as const
  return blocked(describeText(submission, parts, verdict), PAUSE_MESSAGE)
}

async function quarantineOutcome(parts: GateParts, submission: Submission): Promise<Outcome | undefined> {
  const isSafe = submission.classification.level === 'SAFE'
  if (isSafe && !submission.active.policy.quarantine_blocks_safe_queries) return undefined
  const quarantine = await parts.conduct.findQuarantine(submission.principal.name)
  if (quarantine === undefined) return undefined
  parts.observer.noteBlock('agent_quarantined')
  const message = `${QUARANTINE_MESSAGE} It ends at ${quarantine.until}.`
  return blocked(describeText(submission, parts, { action: 'block', rule: 'quarantine', reason: message }), message)
}

/** The outcome that ends the request here, or undefined to go on. */
export async function findStop(parts: GateParts, submission: Submission): Promise<Outcome | undefined> {
  const { classification, active } = submission
  if (isStoppedBy(await parts.pause.current(), classification.level === 'SAFE')) {
    const isApproved = submission.request.approvalId !== undefined
    return pausedOutcome(
      parts,
      submission,
      isApproved ? 'approved_execution_blocked_paused' : 'execution_blocked_paused',
    )
  }
  const quarantined = await quarantineOutcome(parts, submission)
  if (quarantined !== undefined) return quarantined
  if (classification.ok && classification.transaction !== 'never') return undefined
  const verdict = decide(describeFacts(classification), active)
  const reason = classification.ok ? verdict.reason : `${verdict.reason}: ${classification.message}`
  const refusal = { action: 'block', rule: verdict.rule, reason } as const
  return noteRisky(parts, submission, blocked(describeText(submission, parts, refusal), reason))
}

/** Count a blocked or denied attempt against the principal; SAFE ones never count. */
export async function noteRisky(parts: GateParts, submission: Submission, outcome: Outcome): Promise<Outcome> {
  const { principal, request, classification } = submission
  const level = maxRisk(classification.level, outcome.answer.risk_level)
  parts.observer.noteBlock(outcome.answer.safety_metadata.operation.toLowerCase())
  if (level === 'SAFE') return outcome
  parts.observer.noteRiskyAttempt(level)
  const quarantine = await parts.conduct.noteAttempt(principal.name, request.agentId)
  if (quarantine !== undefined) {
    parts.observer.noteQuarantine()
    await parts.alerts.raise({
      severity: 'critical',
      eventType: 'agent_quarantined',
      title: `${principal.name} is quarantined after ${quarantine.attempts} risky attempts`,
      recommendedAction: 'Read its recent audit events; release it when the cause is known.',
      facts: { principal: principal.name, agentId: request.agentId, until: quarantine.until },
    })
  }
  return outcome
}
