/** The tools that agents may call: name, scope, arguments, honest annotations. */
import { z } from 'zod'
import type { CallContext } from '../context.ts'
import type { Scope } from '../token/index.ts'
import { analyzeArguments, executeArguments } from './arguments.ts'
import { runAnalyze, runExecute } from './run.ts'

export interface ToolAnnotations {
  readonly title: string
  readonly readOnlyHint: boolean
  readonly destructiveHint: boolean
  readonly idempotentHint: boolean
  readonly openWorldHint: boolean
}

export interface Tool {
  readonly name: string
  readonly scope: Scope
  readonly description: string
  readonly input: z.ZodType
  readonly annotations: ToolAnnotations
  /** `input` was checked against the schema. */
  run(context: CallContext, input: unknown): Promise<object>
}

interface ToolDefinition<S extends z.ZodType> extends Omit<Tool, 'run' | 'input'> {
  readonly input: S
  readonly run: (context: CallContext, input: z.output<S>) => Promise<object>
}

function defineTool<S extends z.ZodType>(definition: ToolDefinition<S>): Tool {
  return { ...definition, run: (context, input) => definition.run(context, input as z.output<S>) }
}

export const TOOLS: readonly Tool[] = [
  defineTool({
    name: 'execute_query',
    scope: 'query:execute',
    description:
      'Run one SQL statement through the gate. Reads run at once; dangerous statements are held for a person, and the ' +
      'answer approval_required carries the approval_id to resubmit with; what the policy forbids is blocked. An approved ' +
      'statement that takes long answers executing: make the same call again to collect its answer.',
    input: executeArguments,
    annotations: {
      title: 'Execute SQL',
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: false,
    },
    run: runExecute,
  }),
  defineTool({
    name: 'analyze_query',
    scope: 'query:analyze',
    description: 'Say what a SQL statement would do and what the policy would decide. Changes nothing.',
    input: analyzeArguments,
    annotations: {
      title: 'Analyze SQL',
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
    run: runAnalyze,
  }),
]

const BY_NAME = new Map(TOOLS.map((tool) => [tool.name, tool]))

export function findTool(name: string): Tool | undefined {
  return BY_NAME.get(name)
}

let listed: readonly object[] | undefined

/** The tools as `tools/list` shows them. */
export function listTools(): readonly object[] {
  listed ??= TOOLS.map(({ name, description, input, annotations, scope }) => {
    const { $schema: _, ...inputSchema } = z.toJSONSchema(input, { io: 'input' })
    return { name, description, inputSchema, annotations, _meta: { 'backstop/scope': scope } }
  })
  return listed
}
