/** Decides what IAM would decide, for statements with the operators that the product's roles use. */
import type { PolicyStatement, Wanted } from './model.ts'

const listOf = (value: string | readonly string[]): readonly string[] => (typeof value === 'string' ? [value] : value)

/** `*` stands for any text, `?` for one character. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(text)
}

const OPERATORS: Readonly<Record<string, (found: string | undefined, expected: readonly string[]) => boolean>> = {
  StringEquals: (found, expected) => found !== undefined && expected.includes(found),
  StringLike: (found, expected) => found !== undefined && expected.some((pattern) => matches(pattern, found)),
  ArnEquals: (found, expected) => found !== undefined && expected.some((pattern) => matches(pattern, found)),
  Bool: (found, expected) => found !== undefined && expected.includes(found),
  Null: (found, expected) => expected.includes(String(found === undefined)),
}

/** Throws for an operator that is not known here: then nothing may be concluded. */
function holds(condition: PolicyStatement['Condition'], context: Wanted['context']): boolean {
  return Object.entries(condition ?? {}).every(([operator, keys]) => {
    const compare = OPERATORS[operator]
    if (compare === undefined) throw new Error(`The condition operator ${operator} is not known here.`)
    return Object.entries(keys).every(([key, expected]) => compare(context[key], listOf(expected)))
  })
}

function applies(statement: PolicyStatement, { action, resource, context }: Wanted): boolean {
  return (
    listOf(statement.Action).some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
    listOf(statement.Resource).some((pattern) => matches(pattern, resource)) &&
    holds(statement.Condition, context)
  )
}

/** A Deny wins over every Allow; without an Allow nothing is allowed. */
export function isAllowed(statements: readonly PolicyStatement[], wanted: Wanted): boolean {
  const applying = statements.filter((statement) => applies(statement, wanted))
  return applying.length > 0 && applying.every(({ Effect }) => Effect === 'Allow')
}
