/** The emergency pause, the state of everything, and the end of a quarantine. */
import type { PauseState } from '#lib/gate/index.ts'
import { jsonAnswer } from '../answer/index.ts'
import type { CallContext } from '../context.ts'
import { pauseBody } from '../schema/index.ts'
import { pauseView, policyView, quarantineView, tokenView } from '../view/index.ts'
import { audited } from './audited.ts'
import type { Handler } from './model.ts'

const PAUSE_INCIDENT = 'emergency-pause'
const DEFAULT_REASON = 'manual emergency pause'
const UNREADABLE_BODY = 'The body was not understood and was ignored; the pause is on with its defaults.'
const NOT_AUDITED = 'The pause is on, but the audit ledger could not record it.'

interface PauseWish {
  readonly reason: string
  readonly blocksSafe: boolean
  readonly warning?: string
}

/** An emergency stop must not fail on a malformed body. */
function decodePauseWish(text: string | undefined): PauseWish {
  try {
    const body = pauseBody.parse(text === '' ? {} : JSON.parse(text ?? ''))
    return { reason: body.reason ?? DEFAULT_REASON, blocksSafe: body.pause_blocks_safe ?? false }
  } catch {
    return { reason: DEFAULT_REASON, blocksSafe: false, warning: UNREADABLE_BODY }
  }
}

/** Undefined when it was recorded. */
async function recordPause(context: CallContext, state: PauseState): Promise<string | undefined> {
  const facts = { reason: state.reason, correlationId: context.correlationId }
  const intent = { action: 'paused', principal: context.principal.name, facts }
  try {
    await context.services.ledger.record(intent, { outcome: 'recorded' })
    return undefined
  } catch {
    return NOT_AUDITED
  }
}

/** Stops first and records afterwards: the one act that may go unrecorded rather than undone. */
export const pause: Handler<'pause'> = async (context, { body }) => {
  const wish = decodePauseWish(body)
  const state = await context.services.pause.pause(context.principal.name, wish.reason, wish.blocksSafe)
  const warnings = [wish.warning, await recordPause(context, state)].filter((text) => text !== undefined)
  await context.services.alerts.raise({
    severity: 'critical',
    eventType: 'emergency_paused',
    title: `The gateway was paused by ${context.principal.name}`,
    recommendedAction: 'Find out why; POST /admin/resume ends it. Statements are refused until then.',
    facts: { reason: wish.reason, by: context.principal.name, blocksSafe: wish.blocksSafe },
    incidentKey: PAUSE_INCIDENT,
  })
  return jsonAnswer(200, {
    status: 'emergency_paused',
    pause: pauseView(state),
    ...(warnings.length === 0 ? {} : { warning: warnings.join(' ') }),
  })
}

export const resume: Handler<'resume'> = async (context, { body }) => {
  const reason = body.reason ?? 'manual emergency resume'
  const act = () => context.services.pause.resume(context.principal.name, reason)
  const state = await audited(context, { action: 'resumed', facts: { reason } }, act)
  await context.services.alerts.raise({
    severity: 'critical',
    eventType: 'emergency_resumed',
    title: `The gateway was resumed by ${context.principal.name}`,
    recommendedAction: 'Nothing, if this was meant: statements run again.',
    facts: { reason, by: context.principal.name },
    incidentKey: PAUSE_INCIDENT,
    state: 'resolved',
  })
  return jsonAnswer(200, { status: 'emergency_resumed', pause: pauseView(state) })
}

export const readStatus: Handler<'readStatus'> = async ({ services, settings }) => {
  const [state, quarantines, tokens] = await Promise.all([
    services.pause.read(),
    services.conduct.list(),
    services.listTokens(),
  ])
  return jsonAnswer(200, {
    environment: settings.environment,
    cluster_id: settings.clusterId,
    version: settings.version,
    dev_mode: settings.isDevMode,
    pause: pauseView(state),
    policy: policyView(services.policy()),
    quarantines: quarantines.map(quarantineView),
    tokens: tokens.map(tokenView),
  })
}

export const releaseQuarantine: Handler<'releaseQuarantine'> = async (context, { params }) => {
  const { principal } = params
  const act = () => context.services.conduct.release(principal, context.principal.name)
  await audited(context, { action: 'quarantine-released', facts: { principal } }, act)
  return jsonAnswer(200, { status: 'released', principal })
}

/** Through the same door as every other alert; without a key, so that each call sends one. */
export const testAlert: Handler<'testAlert'> = async (context) => {
  const { services, principal } = context
  const send = () =>
    services.alerts.raise({
      severity: 'warning',
      eventType: 'alert_test',
      title: `A test alert, sent by ${principal.name}`,
      recommendedAction: 'Nothing: whoever reads this is reached by alerts.',
      facts: { by: principal.name },
    })
  const { alertId, status } = await audited(context, { action: 'alert-tested' }, send)
  return jsonAnswer(200, { status, alert_id: alertId, targets: services.alertTargets ?? null })
}
