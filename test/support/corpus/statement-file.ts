/** Reads files of legitimate statements: `-- name:` before each, `-- params:` where it takes values. */

export interface NamedStatement {
  /** `02-analytics.sql: revenue by month`. */
  readonly name: string
  readonly sql: string
  readonly parameters: readonly (string | number | boolean | null)[]
}

/** Parse one file. Throws Error at text before the first name, an empty statement, a repeated name or malformed parameters. */
export function parseStatementFile(file: string, text: string): NamedStatement[] {
  const [head = '', ...parts] = text.split(/^-- name: /m)
  if (head.trim() !== '') throw new Error(`${file}: text before the first "-- name:"`)
  const statements = parts.map((part) => parsePart(file, part))
  const names = new Set(statements.map(({ name }) => name))
  if (names.size !== statements.length) throw new Error(`${file}: a name occurs twice`)
  return statements
}

function parsePart(file: string, part: string): NamedStatement {
  const [title = '', ...lines] = part.split('\n')
  const name = `${file}: ${title.trim()}`
  const parameterLine = lines[0]?.startsWith('-- params: ') ? lines.shift() : undefined
  const sql = lines.join('\n').trim()
  if (sql === '') throw new Error(`${name} has no statement`)
  return { name, sql, parameters: parameterLine === undefined ? [] : parseParameters(name, parameterLine.slice(11)) }
}

function parseParameters(name: string, json: string): NamedStatement['parameters'] {
  const values: unknown = JSON.parse(json)
  if (!Array.isArray(values)) throw new Error(`${name}: parameters are a JSON array`)
  return values
}
