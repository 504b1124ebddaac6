/** The corpora on disk. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCaseFile, type WrittenCase } from './case-file.ts'
import { type NamedStatement, parseStatementFile } from './statement-file.ts'

const ROOT = join(import.meta.dirname, '../../corpus')

/** Every classification case, by file. */
export function readClassifyCases(): Map<string, WrittenCase[]> {
  return readCases('classify')
}

/** Every attack, by file. `section` is its class, `setup` what the owner runs beforehand. */
export function readHostileCases(): Map<string, WrittenCase[]> {
  return readCases('hostile')
}

/** Statements that must never be held or refused, in file order. */
export function readLegitimateStatements(): NamedStatement[] {
  return read('legitimate', /^\d.*\.sql$/).flatMap(({ file, text }) => parseStatementFile(file, text))
}

/** The shop that the legitimate and the hostile statements run on. */
export function readShopSchema(): string {
  return readFileSync(join(ROOT, 'legitimate/schema.sql'), 'utf8')
}

function readCases(folder: string): Map<string, WrittenCase[]> {
  return new Map(read(folder, /\.md$/).map(({ file, text }) => [file, parseCaseFile(file, text)]))
}

function read(folder: string, pattern: RegExp): { file: string; text: string }[] {
  return readdirSync(join(ROOT, folder))
    .filter((file) => pattern.test(file))
    .toSorted()
    .map((file) => ({ file, text: readFileSync(join(ROOT, folder, file), 'utf8') }))
}
