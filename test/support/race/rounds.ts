/** Rounds in which several people and programs act on one held statement at the same moment. */
import { type Caller, type Reply, TOKENS } from '#test/support/product.ts'

/** A way to one instance of the product. */
export interface Door {
  send(caller: Caller, method: string, path: string, body?: unknown): Promise<Reply>
}

export function doorTo(url: string): Door {
  return {
    send: async (caller, method, path, body) => {
      const response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${TOKENS[caller]}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    },
  }
}

export async function execute(door: Door, sql: string, extra: Record<string, unknown> = {}, caller: Caller = 'agent') {
  const params = { name: 'execute_query', arguments: { query: sql, agent_id: 'racer', ...extra } }
  const { body } = await door.send(caller, 'POST', '/', { jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  return body.result ?? body
}

export interface RaceCounts {
  rounds: number
  /** Decisions that were taken, and second ones that were told of the first. */
  decided: number
  refused: number
  approved: number
  denied: number
  /** Answers to the two resubmissions. */
  executed: number
  turnedAway: number
  /** Effects in the database. */
  effects: number
}

export function emptyCounts(): RaceCounts {
  return { rounds: 0, decided: 0, refused: 0, approved: 0, denied: 0, executed: 0, turnedAway: 0, effects: 0 }
}

export interface RoundPlan {
  /** Unbounded by a WHERE, so that it is held, and counted by its effect. */
  readonly sql: string
  readonly verbs: readonly ['approve' | 'deny', 'approve' | 'deny']
  readonly doors: readonly [Door, Door]
}

export interface RoundResult {
  readonly outcome: 'approved' | 'denied'
  readonly problems: readonly string[]
}

/** Hold, decide twice at once, then resubmit twice at once. */
export async function runRound(plan: RoundPlan, counts: RaceCounts): Promise<RoundResult> {
  const [left, right] = plan.doors
  const problems: string[] = []
  const held = await execute(left, plan.sql)
  if (held.status !== 'approval_required') throw new Error(`not held: ${JSON.stringify(held)}`)
  const decisions = await Promise.all([
    left.send('operator', 'POST', `/${plan.verbs[0]}/${held.approval_id}`, {}),
    right.send('operator2', 'POST', `/${plan.verbs[1]}/${held.approval_id}`, {}),
  ])
  const winner = decisions.find((reply) => reply.status === 200)
  const loser = decisions.find((reply) => reply.status === 409)
  if (winner === undefined || loser === undefined) {
    throw new Error(`decisions: ${JSON.stringify(decisions)}`)
  }
  counts.decided += 1
  counts.refused += 1
  if (!JSON.stringify(loser.body).includes(winner.body.decided_by)) {
    problems.push(`the 409 does not name ${winner.body.decided_by}: ${JSON.stringify(loser.body)}`)
  }
  if (!JSON.stringify(loser.body).includes(winner.body.status)) {
    problems.push(`the 409 does not say ${winner.body.status}: ${JSON.stringify(loser.body)}`)
  }
  const outcome = winner.body.status as 'approved' | 'denied'
  counts[outcome] += 1
  const answers = await Promise.all([
    execute(left, plan.sql, { approval_id: held.approval_id }),
    execute(right, plan.sql, { approval_id: held.approval_id }),
  ])
  for (const answer of answers) {
    if (answer.status === 'executed') counts.executed += 1
    else counts.turnedAway += 1
  }
  counts.rounds += 1
  return { outcome, problems }
}
