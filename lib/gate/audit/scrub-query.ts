/** Takes what looks like a secret out of SQL text before it is kept, and cuts the text to a bound. */

export const MAX_AUDIT_QUERY_BYTES = 8_192
/** Far more than is kept; every rule takes time by the length of this at most. */
const MAX_LOOKED_AT_CHARACTERS = 16_384
const MASK = '[REDACTED]'
const CUT_NOTICE = ' … [cut: the whole text had %d bytes]'

/** A literal in any of PostgreSQL's forms: '…', E'…', U&'…', $tag$…$tag$; an unclosed one reaches to the end. */
const QUOTED = String.raw`(?:[eE]|[uU]&)?'(?:''|\\.|[^'\\])*(?:'|\\?$)`
const DOLLAR = String.raw`\$(?<tag>[^\s$]{0,63})\$[\s\S]*?(?:\$\k<tag>\$|$)`
const SECRET_WORD = String.raw`(?:passw(?:or)?d|passwd|passphrase|pwd|secret|api_?key|access_?key|private_?key|auth_?token|access_?token|refresh_?token|credentials?)\w{0,64}`

/** White space and comments. */
const GAP = String.raw`(?:\s|--[^\n]{0,200}\n|/\*(?:[^*]|\*(?!/)){0,200}\*/)`
/** From the word to its value, with or without an operator. */
const LEAD = `(${SECRET_WORD}["']?(?:${GAP}{0,64}(?:=>|:=|=|:)${GAP}{0,64}|${GAP}{1,64}))`

const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK],
  [new RegExp(`${LEAD}${DOLLAR}`, 'gi'), `$1'${MASK}'`],
  [new RegExp(`${LEAD}${QUOTED}`, 'gi'), `$1'${MASK}'`],
  [new RegExp(String.raw`(${SECRET_WORD}"\s{0,64}:\s{0,64})"(?:\\.|[^"\\])*(?:"|$)`, 'gi'), `$1"${MASK}"`],
  [new RegExp(String.raw`(${SECRET_WORD}\s{0,64}(?:=>|:=|=)\s{0,64})(?!['"$[(])[^\s,;'")]+`, 'gi'), `$1${MASK}`],
  [/\b([a-z][a-z0-9+.-]{1,30}:\/\/)[^\s/@'"]{0,256}:[^\s@'"]*(?:@|$)/gi, `$1${MASK}@`],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${MASK}`],
  [/\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b/g, MASK],
  [/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g, MASK],
  [/\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,}|sk_live_\w{10,})/g, MASK],
]

/** Without one of these no rule can match: the common statement is passed after one look. */
const SUSPICIOUS =
  /pass|pwd|secret|key|token|credential|:\/\/|bearer|basic|AKIA|ASIA|AROA|AIDA|eyJ|gh[pousr]_|github_pat|xox|sk-|sk_live/i

/**
 * The text as the ledger keeps it.
 *
 * Units:      at most MAX_AUDIT_QUERY_BYTES of UTF-8, the notice about a cut included; never half a character
 * Invariants: scrubQuery(scrubQuery(text)) = scrubQuery(text)
 */
export function scrubQuery(text: string): string {
  const looked = text.slice(0, MAX_LOOKED_AT_CHARACTERS).toWellFormed()
  const masked = SUSPICIOUS.test(looked) ? mask(looked) : looked
  const isCut = text.length > MAX_LOOKED_AT_CHARACTERS || Buffer.byteLength(masked) > MAX_AUDIT_QUERY_BYTES
  return isCut ? cut(masked, Buffer.byteLength(text)) : masked
}

function mask(text: string): string {
  return RULES.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text)
}

function cut(text: string, sizeBytes: number): string {
  const notice = CUT_NOTICE.replace('%d', String(sizeBytes))
  const bytes = Buffer.from(text)
  let end = Math.min(bytes.length, MAX_AUDIT_QUERY_BYTES - Buffer.byteLength(notice))
  while (end < bytes.length && end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end) + notice
}
