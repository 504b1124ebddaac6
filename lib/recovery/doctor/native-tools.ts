/** Looks for PostgreSQL's own programs. */
import { isBackstopError } from '#lib/kernel/index.ts'
import type { NativeTools } from '#lib/ports/index.ts'

const TOOLS = ['pg_dump', 'pg_restore', 'pg_basebackup'] as const
export type NativeToolName = (typeof TOOLS)[number]

export interface ToolReport {
  readonly tool: NativeToolName
  readonly isFound: boolean
  readonly path: string | null
  /** First line of `--version`. */
  readonly version: string | null
  /** Major version; 0 when it cannot be told. */
  readonly major: number
  readonly problem: string | null
}

export interface NativeToolsReport {
  readonly ok: boolean
  readonly tools: readonly ToolReport[]
  readonly missing: readonly NativeToolName[]
}

/** Each is run once with `--version`: a file of that name is not enough. */
export async function examineNativeTools(tools: Pick<NativeTools, 'versionOf' | 'find'>): Promise<NativeToolsReport> {
  const reports = await Promise.all(TOOLS.map((tool) => lookFor(tools, tool)))
  const missing = reports.filter(({ isFound }) => !isFound).map(({ tool }) => tool)
  return { ok: missing.length === 0, tools: reports, missing }
}

async function lookFor(tools: Pick<NativeTools, 'versionOf' | 'find'>, tool: NativeToolName): Promise<ToolReport> {
  let path: string | null = null
  try {
    path = await tools.find(tool)
    const version = await tools.versionOf(tool)
    return { tool, isFound: true, path, version, major: Number(/\) (\d+)/.exec(version)?.[1] ?? 0), problem: null }
  } catch (error) {
    if (!isBackstopError(error)) throw error
    return { tool, isFound: false, path, version: null, major: 0, problem: `${error.message}. ${error.hint}` }
  }
}
