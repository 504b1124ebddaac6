export { agentOf, analyzeArguments, executeArguments, LONGEST_WAIT_SECONDS } from './arguments.ts'
export { runAnalyze, runExecute } from './run.ts'
export type { Tool, ToolAnnotations } from './table.ts'
export { findTool, listTools, TOOLS } from './table.ts'
