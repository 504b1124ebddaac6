/** From the text of a policy file to a policy, or to everything that is wrong with it. */
import type { z } from 'zod'
import { findDuplicateKeys } from './duplicate-keys.ts'
import { POLICY_FIELD_NAMES, policySchema } from './fields.ts'
import type { ParsedPolicy, Policy, PolicyProblem } from './model.ts'
import { nearestName } from './nearest-name.ts'

export const MAX_POLICY_BYTES = 1_048_576

/** The policy of an empty file `{}`. */
export function defaultPolicy(): Policy {
  return policySchema.parse({})
}

/**
 * Read a policy file, strictly: nothing is guessed and nothing is passed over.
 *
 * Invariants: fields that are left out have their defaults, and only those; lists are without duplicates and in one order, so
 *             that equal policies have equal digests; every problem is reported, not only the first
 * Effects:    pure
 */
export function parsePolicy(text: string): ParsedPolicy {
  const document = readDocument(text)
  if ('problem' in document) return { ok: false, problems: [document.problem] }
  const result = policySchema.safeParse(document.value)
  const duplicates = findDuplicateKeys(text).map(
    (key): PolicyProblem => ({ path: key, message: 'stands in the file twice' }),
  )
  const problems = [...duplicates, ...(result.error?.issues ?? []).flatMap((issue) => describe(issue, document.value))]
  if (!result.success || problems.length > 0) return { ok: false, problems }
  return { ok: true, policy: result.data }
}

/** For a terminal or a log: `protected_table: is not a field; did you mean protected_tables?` */
export function formatProblem(problem: PolicyProblem): string {
  const subject = problem.path === '' ? 'the policy file' : problem.path
  const hint = problem.suggestion === undefined ? '' : `; did you mean ${problem.suggestion}?`
  return `${subject}: ${problem.message}${hint}`
}

function readDocument(text: string): { readonly value: unknown } | { readonly problem: PolicyProblem } {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) {
    return { problem: { path: '', message: `is larger than ${MAX_POLICY_BYTES} bytes` } }
  }
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, '')) }
  } catch (error) {
    const place = /\(line (\d+) column (\d+)\)/.exec(error instanceof Error ? error.message : '')
    const where = place === null ? '' : ` (line ${place[1]}, column ${place[2]})`
    return { problem: { path: '', message: `is not valid JSON${where}` } }
  }
}

type Issue = z.core.$ZodIssue

function describe(issue: Issue, document: unknown): readonly PolicyProblem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField(key))
  const path = formatPath(issue.path)
  const value = valueAt(document, issue.path)
  switch (issue.code) {
    case 'invalid_type':
      return [{ path, message: `must be ${EXPECTED[issue.expected] ?? issue.expected}, not ${nameType(value)}` }]
    case 'too_small':
      return [{ path, message: issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}` }]
    case 'too_big':
      return [{ path, message: `must be at most ${issue.maximum}` }]
    case 'invalid_value':
      return [
        { path, message: `must be one of ${issue.values.join(', ')}`, ...suggest(value, issue.values.map(String)) },
      ]
    default:
      return [{ path, message: describeCustom(issue, value), ...suggestionOf(issue) }]
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a text',
}

function unknownField(key: string): PolicyProblem {
  return { path: key, message: 'is not a field of the policy', ...suggest(key, POLICY_FIELD_NAMES) }
}

function describeCustom(issue: Issue, value: unknown): string {
  return typeof value === 'string' ? `${JSON.stringify(value)} ${issue.message}` : issue.message
}

function suggest(value: unknown, known: readonly string[]): { suggestion?: string } {
  const nearest = typeof value === 'string' ? nearestName(value.toLowerCase(), known) : undefined
  return nearest === undefined ? {} : { suggestion: nearest }
}

function suggestionOf(issue: Issue): { suggestion?: string } {
  const nearest = issue.code === 'custom' ? (issue.params?.['nearest'] as unknown) : undefined
  return typeof nearest === 'string' ? { suggestion: nearest } : {}
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? String(part) : `${text}.${String(part)}`
  }, '')
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (value === null || typeof value !== 'object' ? undefined : Reflect.get(value, part)),
    document,
  )
}

function nameType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'a text'
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a fraction'
  return typeof value === 'boolean' ? String(value) : 'an object'
}
