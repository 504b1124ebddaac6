/** The queues that a function sends to. */
import { openSqsWorkQueue } from '#lib/adapters/aws/index.ts'
import type { WorkQueue } from '#lib/ports/index.ts'
import { LARGE_CAPTURE_WORK } from '#lib/product/index.ts'
import { findVariable, getVariable } from '../environment.ts'
import { awsSettings, SYSTEM } from './aws.ts'

/** The kinds of work, and the variable that names each one's queue. */
const VARIABLES = {
  run: 'BACKSTOP_RUN_QUEUE_URL',
  capture: 'BACKSTOP_CAPTURE_QUEUE_URL',
  part: 'BACKSTOP_PART_QUEUE_URL',
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

const MEGABYTE = 1_048_576

/** For orders of captures; large ones have a queue of their own where the environment has a task that takes them. */
export function openCaptureQueues(): { readonly queue: WorkQueue; readonly largeBytes?: number } {
  const large = findVariable('BACKSTOP_TASK_QUEUE_URL')
  if (large === undefined) return { queue: openQueues('capture') }
  const queues = { capture: queueUrl('capture'), [LARGE_CAPTURE_WORK]: large }
  const largeBytes = Number(getVariable('BACKSTOP_TASK_ABOVE_MEGABYTES')) * MEGABYTE
  return { queue: openSqsWorkQueue({ aws: awsSettings(), random: SYSTEM.random, queues }), largeBytes }
}
