/** Refused credentials, counted where they are refused and told together: a flood of them costs no store anything. */
import type { Metrics } from '#lib/api/index.ts'
import type { Parts } from './model.ts'

type Reason = 'auth_unauthorized' | 'auth_forbidden'

const WORDS: Readonly<Record<Reason, readonly [title: string, action: string]>> = {
  auth_unauthorized: [
    'requests came without a valid token',
    'Find out who they are from: a program with an old token, or somebody who tries. The tokens are those of GET /admin/status.',
  ],
  auth_forbidden: [
    'requests had a token without the scope that they needed',
    'Find out which token it is; give it the scope, or ask what its holder tried.',
  ],
}

const counts = new WeakMap<Metrics, Record<Reason, number>>()

/** The same recorders, which also count for `tellRefusals`. */
export function countRefusals(metrics: Metrics): Metrics {
  const count: Record<Reason, number> = { auth_unauthorized: 0, auth_forbidden: 0 }
  const counting: Metrics = {
    ...metrics,
    noteRefusedCredential(reason) {
      count[reason] += 1
      metrics.noteRefusedCredential(reason)
    },
  }
  counts.set(counting, count)
  return counting
}

/** Tell how many there were since the last time; none: nothing. */
export async function tellRefusals({ metrics, alerts }: Pick<Parts, 'metrics' | 'alerts'>): Promise<void> {
  const count = counts.get(metrics)
  if (count === undefined) return
  for (const reason of ['auth_unauthorized', 'auth_forbidden'] as const) {
    const refused = count[reason]
    count[reason] = 0
    if (refused === 0) continue
    const [title, recommendedAction] = WORDS[reason]
    await alerts.raise({
      severity: 'warning',
      eventType: reason,
      title: `${refused} ${title}`,
      recommendedAction,
      facts: { requests: refused },
      dedupeKey: reason,
    })
  }
}
