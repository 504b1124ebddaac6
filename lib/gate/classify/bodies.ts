/** Bodies of functions and DO blocks, read as what they are: SQL or PL/pgSQL. */
import type { Walk } from './facts.ts'
import { hasHidden, mayHide } from './hidden-characters.ts'
import { blocksOf, MAX_BODY_BLOCKS, MAX_TEXT_NESTING, nestingOf } from './nesting.ts'
import { parsePlpgsql } from './parser.ts'
import { isCostlyToScan } from './pieces.ts'
import { visitPlpgsql } from './plpgsql.ts'
import { innerScope } from './scope.ts'
import { noteUnreadable, visitSqlText } from './sql-text.ts'

export interface Body {
  readonly language: string
  readonly text: string
  /** True in CREATE FUNCTION, where a SQL body is a list of statements; DO takes no SQL. */
  readonly isRoutine: boolean
}

/** Bodies inside bodies are read this deep. */
const MAX_BODY_DEPTH = 4
/** A body has many expressions beside each other; each one is bounded again when it is parsed. */
const MAX_BODY_NESTING = MAX_TEXT_NESTING * 4

/**
 * Walk a body with the fate of the place where it stands. What cannot be read raises CRITICAL: nobody knows what it does.
 *
 * Effects: adds findings, targets, functions and columns to the walk's facts
 */
export function visitBody(body: Body, walk: Walk): void {
  const language = body.language.toLowerCase()
  const inside = { ...walk, bodyDepth: walk.bodyDepth + 1, scope: innerScope(walk.scope) }
  if (walk.bodyDepth >= MAX_BODY_DEPTH) noteUnreadable(walk, 'bodies are nested too deeply to be read')
  else if (mayHide(body.text) && hasHidden(body.text))
    noteUnreadable(walk, 'the body holds characters that cannot be seen')
  else if (language === 'sql' && body.isRoutine) visitSqlText(body.text, inside)
  else if (language === 'plpgsql') visitPlpgsqlText(body.text, walk.source, inside)
  else noteUnreadable(walk, 'the body is in a language that is not read here')
}

/** The language's parser wants the whole statement: parameters and the kind of result decide what a body may say. */
function visitPlpgsqlText(text: string, source: string, walk: Walk): void {
  const nesting = isCostlyToScan(text) ? undefined : nestingOf(text)
  if (nesting === undefined || nesting > MAX_BODY_NESTING || blocksOf(text) > MAX_BODY_BLOCKS) {
    noteUnreadable(walk, 'the body is too large to be read, or a quote in it does not end')
  } else {
    const functions = parsePlpgsql(source) ?? []
    if (functions.length === 0) noteUnreadable(walk, 'the body could not be parsed')
    for (const parsed of functions) visitPlpgsql(parsed, walk)
  }
}
