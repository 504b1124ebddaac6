/** What a program complained of, without what may be secret: rows, statements, passwords. Pure. */

const MAX_LINES = 3
const MAX_CHARACTERS = 300

/** `pg_dump: error: …`; lines of detail, context and statements follow it and may show values. */
const COMPLAINT = /^(?:\w+: )?(?:error|fatal|FATAL|ERROR): +(.+)$/
/** A value that the server quotes: `invalid input syntax for type integer: "…"`. */
const VALUE = /: "[^"]*"$/

export function describeComplaint(text: string, secrets: readonly string[]): string {
  const lines = text
    .split('\n')
    .map((line) => COMPLAINT.exec(line.replace(/^pg_\w+: /, ''))?.[1])
    .filter((line) => line !== undefined)
    .map((line) => line.replace(VALUE, ': (a value)'))
  const said = [...new Set(lines)].slice(0, MAX_LINES).join('; ').slice(0, MAX_CHARACTERS)
  return secrets.filter((secret) => secret !== '').reduce((shown, secret) => shown.replaceAll(secret, '***'), said)
}
