/** Names that may call a function without parentheses: `(row).name` is `name(row)` where the row has no such column. */
const WORD = String.raw`"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*`
const AFTER_DOT = new RegExp(String.raw`\.\s*(${WORD})`, 'gu')
const ANY_WORD = new RegExp(`(${WORD})`, 'gu')
const DOT_BEFORE_COMMENT = /\.\s*(?:\/\*|--)/

function nameOf(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word.toLowerCase()
}

/** A superset of the names after a dot, without parsing; every word where a comment follows a dot. */
export function attributeNames(sql: string): readonly string[] {
  const pattern = DOT_BEFORE_COMMENT.test(sql) ? ANY_WORD : AFTER_DOT
  return [...new Set(Array.from(sql.matchAll(pattern), (match) => nameOf(match[1] ?? '')))]
}
