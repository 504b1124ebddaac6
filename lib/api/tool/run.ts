/** Run the tools against the gate. */

import type { z } from 'zod'
import type { AnalyzeAnswer, QueryAnswer, QueryRequest } from '#lib/gate/index.ts'
import { awaitDecision } from '../await-decision.ts'
import type { CallContext } from '../context.ts'
import type { analyzeArguments, executeArguments } from './arguments.ts'
import { agentOf } from './arguments.ts'

type ExecuteArguments = z.output<typeof executeArguments>
type AnalyzeArguments = z.output<typeof analyzeArguments>

function requestFor(context: CallContext, agentId: string, input: AnalyzeArguments): QueryRequest {
  return {
    query: input.query,
    agentId,
    correlationId: context.correlationId,
    signal: context.request.signal,
    ...(input.parameters === undefined ? {} : { parameters: input.parameters }),
  }
}

/** Execute; with `wait_seconds` a held statement waits for its decision and is then resubmitted once. */
export async function runExecute(context: CallContext, input: ExecuteArguments): Promise<QueryAnswer> {
  const { gate } = context.services
  const request: QueryRequest = {
    ...requestFor(context, agentOf(context.principal, input.agent_id), input),
    ...(input.approval_id === undefined ? {} : { approvalId: input.approval_id }),
    ...(input.reason === undefined ? {} : { reason: input.reason }),
  }
  const answer = await gate.execute(context.principal, request)
  if (answer.status !== 'approval_required' || input.wait_seconds === undefined || input.wait_seconds === 0)
    return answer
  const approval = await awaitDecision(context, answer.approval_id, input.wait_seconds)
  if (approval === undefined || approval.state === 'pending' || context.request.signal.aborted) return answer
  return gate.execute(context.principal, { ...request, approvalId: answer.approval_id })
}

/** Analyze; a token without listed agents may leave the agent out. */
export async function runAnalyze(context: CallContext, input: AnalyzeArguments): Promise<AnalyzeAnswer> {
  const { principal, services } = context
  const given = input.agent_id ?? (principal.agentIds.length === 0 ? principal.name : undefined)
  return services.gate.analyze(principal, requestFor(context, agentOf(principal, given), input))
}
