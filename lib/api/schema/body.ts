/** Schemas of request bodies. */
import { z } from 'zod'
import { conflictPolicy } from './query.ts'

export const decisionBody = z.strictObject({
  comment: z.string().max(1_000).optional().describe('Kept with the decision and shown to the requester'),
})

export const pauseBody = z.strictObject({
  reason: z.string().min(1).max(500).optional(),
  pause_blocks_safe: z.boolean().optional().describe('true: SAFE statements stop as well'),
})

export const undoBody = z.strictObject({ conflict_policy: conflictPolicy })

export const resumeBody = z.strictObject({ reason: z.string().min(1).max(500).optional() })

const rpcId = z.union([z.string(), z.number(), z.null()])
const rpcCall = z.object({
  jsonrpc: z.literal('2.0'),
  method: z.enum(['tools/list', 'tools/call']),
  params: z.record(z.string(), z.unknown()).optional().describe('tools/call: {"name", "arguments"}'),
  id: rpcId.optional().describe('Absent: a notification, which is not answered'),
})

/** For the document only: the JSON-RPC reader gives the errors that its specification wants. */
export const rpcBody = z.union([rpcCall, z.array(rpcCall).min(1).max(20)])
const rpcError = z.object({ code: z.int(), message: z.string(), data: z.record(z.string(), z.unknown()).optional() })
const rpcReply = z.union([
  z.strictObject({ jsonrpc: z.literal('2.0'), id: rpcId, result: z.record(z.string(), z.unknown()) }),
  z.strictObject({ jsonrpc: z.literal('2.0'), id: rpcId, error: rpcError }),
])
export const rpcAnswer = z.union([rpcReply, z.array(rpcReply)])

const mcpCall = z.object({
  jsonrpc: z.literal('2.0'),
  method: z.string().min(1).describe('initialize, ping, tools/list, tools/call, or a notification'),
  params: z.record(z.string(), z.unknown()).optional(),
  id: rpcId.optional(),
})

/** For the document only, like `rpcBody`. */
export const mcpBody = mcpCall
export const mcpAnswer = rpcReply
