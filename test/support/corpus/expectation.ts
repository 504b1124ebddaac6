/** What a classification case expects, and in what a classification differs from it. Only what is stated is compared. */
import type { Classification, ClassifiedStatement, Target, WrittenName } from '#lib/gate/classify/index.ts'
import { isAtLeast, RISK_LEVELS, type RiskLevel } from '#lib/kernel/index.ts'
import type { Field, WrittenCase } from './case-file.ts'

const KEYS = [
  'level',
  'refused',
  'operation',
  'part',
  'transaction',
  'recoverability',
  'target',
  'absent',
  'function',
  'operator',
  'type',
  'column',
  'finding',
] as const
type Key = (typeof KEYS)[number]

/** Check that a case states only known keys and values. Throws Error with the case's place. */
export function checkExpectation(written: WrittenCase): void {
  for (const { key, value } of written.fields) {
    if (!(KEYS as readonly string[]).includes(key)) throw new Error(`${written.place}: unknown key "${key}"`)
    if (key === 'level' && !value.split('|').every(isLevelWord)) {
      throw new Error(`${written.place}: unknown level "${value}"`)
    }
  }
}

function isLevelWord(word: string): boolean {
  return word === 'refused' || (RISK_LEVELS as readonly string[]).includes(word.replace(/\+$/, ''))
}

/** Compare. Returns one sentence for each difference; empty when all that is stated holds. */
export function differences(actual: Classification, expected: readonly Field[]): string[] {
  return expected.flatMap((field) => {
    const found = compareField(actual, field.key as Key, field.value)
    return found === undefined ? [] : [`${field.key}: expected ${field.value}, found ${found}`]
  })
}

function compareField(actual: Classification, key: Key, value: string): string | undefined {
  if (key === 'level') return levelDiffers(actual, value)
  if (key === 'refused') return refusalDiffers(actual, value)
  if (!actual.ok) return key === 'absent' ? undefined : `refused ${actual.code}`
  return compareStatement(actual, key, value)
}

function levelDiffers(actual: Classification, value: string): string | undefined {
  const matches = value.split('|').some((word) => {
    if (word === 'refused') return !actual.ok
    if (!actual.ok) return false
    return word.endsWith('+') ? isAtLeast(actual.level, word.slice(0, -1) as RiskLevel) : actual.level === word
  })
  return matches ? undefined : actual.ok ? actual.level : `refused ${actual.code}`
}

function refusalDiffers(actual: Classification, value: string): string | undefined {
  if (actual.ok) return `${actual.level} ${actual.operation}`
  return value.split('|').includes(actual.code) ? undefined : actual.code
}

function compareStatement(actual: ClassifiedStatement, key: Key, value: string): string | undefined {
  switch (key) {
    case 'operation':
      return actual.operation === value ? undefined : actual.operation
    case 'part':
      return oneOf(value, actual.operations)
    case 'transaction':
      return value.split('|').includes(actual.transaction) ? undefined : actual.transaction
    case 'recoverability':
      return value.split('|').includes(actual.recoverability) ? undefined : actual.recoverability
    case 'target':
      return targetDiffers(actual, value)
    case 'absent':
      return actual.targets.some(({ object }) => writeName(object) === value) ? listTargets(actual) : undefined
    case 'column':
      return oneOf(value, actual.columns.map(writeColumn))
    case 'function':
      return oneOf(value, actual.functions.map(writeName))
    case 'operator':
      return oneOf(value, actual.qualifiedOperators.map(writeName))
    case 'type':
      return oneOf(value, actual.types.map(writeName))
    default:
      return oneOf(
        value,
        actual.findings.map(({ code }) => code),
      )
  }
}

function oneOf(value: string, found: readonly string[]): string | undefined {
  return found.includes(value) ? undefined : found.length === 0 ? 'none' : found.join(' · ')
}

function targetDiffers(actual: ClassifiedStatement, value: string): string | undefined {
  if (value === 'none') return actual.targets.length === 0 ? undefined : listTargets(actual)
  const words = value.match(/(?:"(?:[^"]|"")*"|\S)+/g) ?? []
  return actual.targets.some((target) => targetMatches(target, words)) ? undefined : listTargets(actual)
}

function targetMatches(target: Target, [access = '', name = '', ...marks]: readonly string[]): boolean {
  if (!access.split('|').includes(target.access) || writeName(target.object) !== name) return false
  return marks.every((mark) => hasMark(target, mark))
}

function hasMark(target: Target, mark: string): boolean {
  if (mark === 'destructive') return target.isDestructive
  if (mark === 'cascade') return target.isCascade
  if (mark === 'only') return target.isOnly
  return target.scope === mark
}

function listTargets(actual: ClassifiedStatement): string {
  if (actual.targets.length === 0) return 'none'
  return actual.targets.map(writeTarget).join(' · ')
}

function writeTarget(target: Target): string {
  const marks = [
    target.scope,
    target.isDestructive && 'destructive',
    target.isCascade && 'cascade',
    target.isOnly && 'only',
  ]
  return [target.access, writeName(target.object), ...marks.filter((mark) => mark !== false)].join(' ')
}

function writeColumn(column: ClassifiedStatement['columns'][number]): string {
  const relation = column.relation === undefined ? '' : `${writeName(column.relation)}.`
  return `${column.access} ${relation}${column.name}`
}

/** `schema.name`, in double quotes where a name has capitals, blanks, dots or quotes. */
function writeName({ schema, name }: WrittenName): string {
  const quote = (part: string) => (/[\s.",A-Z]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part)
  return schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`
}
