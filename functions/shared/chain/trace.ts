/** A subsegment for each invocation that X-Ray samples, with what ties it to the log. The library is only loaded for such a one. */

import type { Tracer } from '@aws-lambda-powertools/tracer'
import type { MiddlewareObj } from '@middy/core'
import { findVariable } from '../environment.ts'
import { factsOf } from './log-invocation.ts'

type Parent = ReturnType<Tracer['getSegment']>

interface Traced {
  readonly tracer: Tracer
  readonly parent: NonNullable<Parent>
  readonly subsegment: ReturnType<NonNullable<Parent>['addNewSubsegment']>
}

const traced = new WeakMap<object, Traced>()

function isSampled(): boolean {
  return findVariable('_X_AMZN_TRACE_ID')?.includes('Sampled=1') ?? false
}

let opened: Promise<Tracer> | undefined

function openTracer(): Promise<Tracer> {
  opened ??= import('@aws-lambda-powertools/tracer').then(({ Tracer }) => new Tracer({ serviceName: 'backstop' }))
  return opened
}

async function begin(name: string, context: object): Promise<void> {
  const tracer = await openTracer()
  const parent = tracer.getSegment()
  if (parent === undefined) return
  const subsegment = parent.addNewSubsegment(`## ${name}`)
  tracer.setSegment(subsegment)
  tracer.annotateColdStart()
  traced.set(context, { tracer, parent, subsegment })
}

function end(context: object, error?: unknown): void {
  const found = traced.get(context)
  if (found === undefined) return
  const { tracer, parent, subsegment } = found
  for (const [name, value] of Object.entries(factsOf(context))) {
    if (typeof value === 'string' || typeof value === 'number') tracer.putAnnotation(name, value)
  }
  // Its kind alone: a message may name what a trace is no place for.
  if (error !== undefined) subsegment.addErrorFlag()
  subsegment.close()
  tracer.setSegment(parent)
}

export function trace(name: string): MiddlewareObj {
  return {
    before: async ({ context }) => {
      if (isSampled()) await begin(name, context)
    },
    after: ({ context }) => end(context),
    onError: ({ context, error }) => end(context, error),
  }
}
