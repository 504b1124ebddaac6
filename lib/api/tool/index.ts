export type { Tool, ToolAnnotations } from './table.ts'
export { findTool, listTools, TOOLS } from './table.ts'
