/** Reads written cases from Markdown: a heading, one sentence of reason, the SQL, and a list of what is expected. */
import { expandGenerated } from './generated-text.ts'

export interface Field {
  readonly key: string
  readonly value: string
}

export interface WrittenCase {
  /** File and line of the heading: `03-functions.md:17`. */
  readonly place: string
  /** Text of the nearest `##` heading; empty without one. */
  readonly section: string
  readonly name: string
  readonly why: string
  /** What the owner runs beforehand, from blocks fenced as `setup`. */
  readonly setup: readonly string[]
  /** Each code block is one request. */
  readonly statements: readonly string[]
  readonly fields: readonly Field[]
}

interface Draft {
  readonly place: string
  readonly section: string
  readonly name: string
  readonly why: string[]
  readonly setup: string[]
  readonly statements: string[]
  readonly fields: Field[]
}

interface Reader {
  readonly file: string
  readonly lines: readonly string[]
  index: number
  section: string
  draft: Draft | undefined
  readonly cases: WrittenCase[]
}

/**
 * Parse one file of cases.
 *
 * Shapes:  `### name`, a sentence, one or more code blocks (indented by four, or fenced as sql, generate or setup),
 *          then `- key: value, key: value` lines; `## section` in between; prose only before the first case of a section
 * Throws:  Error with file and line at anything else
 */
export function parseCaseFile(file: string, text: string): WrittenCase[] {
  const reader: Reader = { file, lines: text.split('\n'), index: 0, section: '', draft: undefined, cases: [] }
  while (reader.index < reader.lines.length) readBlock(reader)
  finishCase(reader)
  rejectRepeatedNames(reader)
  return reader.cases
}

function readBlock(reader: Reader): void {
  const line = reader.lines[reader.index] ?? ''
  if (line.startsWith('### ')) startCase(reader, line.slice(4).trim())
  else if (line.startsWith('#')) startSection(reader, line)
  else if (line.startsWith('```')) readFenced(reader, line.slice(3).trim())
  else if (line.startsWith('    ')) readIndented(reader)
  else if (line.startsWith('- ')) readFields(reader, line.slice(2))
  else if (line.trim() !== '') readProse(reader, line.trim())
  else reader.index += 1
}

function startCase(reader: Reader, name: string): void {
  finishCase(reader)
  const place = `${reader.file}:${reader.index + 1}`
  reader.draft = { place, section: reader.section, name, why: [], setup: [], statements: [], fields: [] }
  reader.index += 1
}

function startSection(reader: Reader, line: string): void {
  finishCase(reader)
  if (line.startsWith('## ')) reader.section = line.slice(3).trim()
  reader.index += 1
}

function readProse(reader: Reader, line: string): void {
  const draft = reader.draft
  if (draft !== undefined) {
    if (draft.statements.length > 0 || draft.fields.length > 0) fail(reader, 'text after the statement')
    draft.why.push(line)
  }
  reader.index += 1
}

function readFenced(reader: Reader, language: string): void {
  const draft = openCase(reader)
  const start = reader.index + 1
  const end = reader.lines.indexOf('```', start)
  if (end < 0) fail(reader, 'a code block that does not end')
  const body = reader.lines.slice(start, end).join('\n')
  if (language === 'setup') draft.setup.push(body)
  else if (language === 'generate') draft.statements.push(expandGenerated(body))
  else if (language === 'sql') draft.statements.push(body)
  else fail(reader, `code block of kind "${language}"; known are sql, generate and setup`)
  reader.index = end + 1
}

function readIndented(reader: Reader): void {
  const draft = openCase(reader)
  const body: string[] = []
  while (/^( {4}|$)/.test(reader.lines[reader.index] ?? '-')) {
    body.push((reader.lines[reader.index] ?? '').slice(4))
    reader.index += 1
  }
  draft.statements.push(body.join('\n').trimEnd())
}

function readFields(reader: Reader, line: string): void {
  const draft = openCase(reader)
  for (const part of splitOutsideQuotes(line)) {
    const match = /^([a-z][a-z-]*): (.+)$/.exec(part)
    if (match?.[1] === undefined || match[2] === undefined) fail(reader, `"${part}" is not "key: value"`)
    else draft.fields.push({ key: match[1], value: match[2].trim() })
  }
  reader.index += 1
}

function splitOutsideQuotes(line: string): string[] {
  return (line.match(/(?:"[^"]*"|[^",])+/g) ?? []).map((part) => part.trim())
}

function openCase(reader: Reader): Draft {
  return reader.draft ?? fail(reader, 'a code block or a list before the first case')
}

function finishCase(reader: Reader): void {
  const draft = reader.draft
  if (draft === undefined) return
  if (draft.name === '') fail(reader, 'a case without a name')
  if (draft.why.length === 0) fail(reader, `"${draft.name}" does not say why`)
  if (draft.statements.length === 0) fail(reader, `"${draft.name}" has no statement`)
  if (draft.fields.length === 0) fail(reader, `"${draft.name}" expects nothing`)
  reader.cases.push({ ...draft, why: draft.why.join(' ') })
  reader.draft = undefined
}

function rejectRepeatedNames(reader: Reader): void {
  const seen = new Set<string>()
  for (const { name, section, place } of reader.cases) {
    const key = `${section}/${name}`
    if (seen.has(key)) throw new Error(`${place}: a second case named "${name}"`)
    seen.add(key)
  }
}

function fail(reader: Reader, problem: string): never {
  throw new Error(`${reader.file}:${reader.index + 1}: ${problem}`)
}
