/** The queues that a function sends to. */
import { openSqsWorkQueue } from '#lib/adapters/aws/index.ts'
import type { WorkQueue } from '#lib/ports/index.ts'
import { getVariable } from '../environment.ts'
import { awsSettings, SYSTEM } from './aws.ts'

/** The kinds of work, and the variable that names each one's queue. */
const VARIABLES = {
  run: 'BACKSTOP_RUN_QUEUE_URL',
  capture: 'BACKSTOP_CAPTURE_QUEUE_URL',
  alert: 'BACKSTOP_ALERT_QUEUE_URL',
} as const

export type WorkKind = keyof typeof VARIABLES

export function queueUrl(kind: WorkKind): string {
  return getVariable(VARIABLES[kind])
}

/** Open the queues of these kinds. */
export function openQueues(...kinds: readonly WorkKind[]): WorkQueue {
  const queues = Object.fromEntries(kinds.map((kind) => [kind, queueUrl(kind)]))
  return openSqsWorkQueue({ aws: awsSettings(), random: SYSTEM.random, queues })
}
