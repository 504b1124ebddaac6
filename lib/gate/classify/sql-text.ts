/** SQL that stands inside a body, parsed and walked like the statement around it. */
import { noteLoss, raise, type Walk } from './facts.ts'
import { MAX_TREE_DEPTH } from './model.ts'
import { MAX_TEXT_NESTING, nestingOf, SHALLOW_TEXT_LENGTH } from './nesting.ts'
import { parseText } from './parser.ts'
import { isCostlyToScan } from './pieces.ts'
import { depthOf } from './tree/depth.ts'
import { visit } from './walk.ts'

/** Note code that nobody has read: it may do anything. */
export function noteUnreadable(walk: Walk, message: string): void {
  raise(walk, 'unreadable-body', 'CRITICAL', message)
  noteLoss(walk, 'impossible')
}

/** Parse SQL found in a body and walk each of its statements. */
export function visitSqlText(text: string, walk: Walk): void {
  const parsed = isTooDeep(text) ? undefined : parseText(text)
  if (parsed?.ok !== true) {
    noteUnreadable(walk, 'the body could not be parsed')
    return
  }
  for (const { node } of parsed.statements) {
    if (depthOf(node, MAX_TREE_DEPTH) > MAX_TREE_DEPTH) noteUnreadable(walk, 'the body is nested too deeply to be read')
    else visit(node, { ...walk, source: text })
  }
}

function isTooDeep(text: string): boolean {
  if (text.length < SHALLOW_TEXT_LENGTH) return isCostlyToScan(text)
  return isCostlyToScan(text) || (nestingOf(text) ?? Number.POSITIVE_INFINITY) > MAX_TEXT_NESTING
}
