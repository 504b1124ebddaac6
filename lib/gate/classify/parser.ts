/** PostgreSQL's own parser as a function from text to a raw tree, or a reason why there is none. */
import './optimizer-off.ts'
import { fingerprintSync, hasSqlDetails, loadModule, type Node, parsePlPgSQLSync, parseSync } from 'libpg-query'

/** One statement of a text; `start` and `length` are UTF-8 bytes, `length` absent means to the end of the text. */
export interface ParsedStatement {
  readonly node: Node
  readonly start: number
  readonly length: number | undefined
}

export type Parsed =
  | { readonly ok: true; readonly statements: readonly ParsedStatement[] }
  | { readonly ok: false; readonly because: 'syntax' | 'depth'; readonly message: string; readonly position?: number }

/** Load the parser once; afterwards everything here is synchronous. Idempotent. */
export async function loadClassifier(): Promise<void> {
  await loadModule()
}

/** Parse a text. Never throws on any text; throws when `loadClassifier` has not been awaited. */
export function parseText(text: string): Parsed {
  if (text === '') return { ok: true, statements: [] }
  try {
    const { stmts = [] } = parseSync(text)
    const statements = stmts.map(({ stmt, stmt_location, stmt_len }) => ({
      node: stmt as Node,
      start: stmt_location ?? 0,
      length: stmt_len === 0 ? undefined : stmt_len,
    }))
    return { ok: true, statements }
  } catch (error) {
    return parseFailure(error)
  }
}

function parseFailure(error: unknown): Parsed {
  if (hasSqlDetails(error)) {
    if (/memory exhausted|stack depth/i.test(error.message)) return tooDeep
    const position = error.sqlDetails?.cursorPosition
    return {
      ok: false,
      because: 'syntax',
      message: withoutText(error.message),
      ...(position === undefined ? {} : { position: position + 1 }),
    }
  }
  if (error instanceof Error && error.message.includes('WASM module not initialized')) throw error
  return tooDeep
}

const tooDeep = { ok: false, because: 'depth', message: 'the statement is nested too deeply' } as const

/** The parser quotes the word it stopped at, which may be a literal: keep its sentence, drop the quoted part. */
function withoutText(message: string): string {
  return message.replace(/ at or near "[\s\S]*"$/, '').replace(/"[^"]*"/g, 'a word')
}

/** Equal for texts that differ only in white space, comments, keyword case and literals; undefined when it cannot be made. */
export function fingerprintOf(text: string): string | undefined {
  try {
    return fingerprintSync(text)
  } catch {
    return undefined
  }
}

/** The PL/pgSQL functions in a CREATE FUNCTION or DO text as the language's own parser reads them; undefined when it cannot. */
export function parsePlpgsql(text: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = parsePlPgSQLSync(text)
    const functions = Array.isArray(parsed) ? parsed : (parsed as { plpgsql_funcs?: unknown }).plpgsql_funcs
    return Array.isArray(functions) ? functions : undefined
  } catch {
    return undefined
  }
}
