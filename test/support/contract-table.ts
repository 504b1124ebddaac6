/**
 * Run every contract suite, in both runtimes, and print which port is kept by which adapter in how many cases. Exit code 1 when
 * a port has no cases on one of its sides, or a case failed.
 *
 *   npm run contract:table
 *   npm run contract:table -- embedded.json aws.json     of reports that `vitest --reporter=json` wrote before
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Report } from './contract-table-model.ts'
import { buildContractTable, renderContractTable } from './contract-table-model.ts'

const root = join(import.meta.dirname, '../..')
const SUITES = {
  embedded: ['--project', 'contract'],
  aws: ['--config', 'vitest.cloud.config.ts', '--project', 'cloud-contract'],
}

function readReport(path: string): Report {
  const report = JSON.parse(readFileSync(path, 'utf8')) as Report
  if (!Array.isArray(report.testResults)) throw new Error(`${path} is no report of vitest --reporter=json`)
  return report
}

/** A failed test is in the report; a run that wrote none could not even start. */
function runSuites(selection: readonly string[], reportPath: string): Report {
  const args = ['run', ...selection, '--reporter=dot', '--reporter=json', `--outputFile.json=${reportPath}`]
  const done = spawnSync(join(root, 'node_modules/.bin/vitest'), args, { cwd: root, stdio: ['ignore', 2, 2] })
  try {
    return readReport(reportPath)
  } catch (cause) {
    throw new Error(`vitest ${args.join(' ')} ended with ${done.status} and wrote no report`, { cause })
  }
}

function collect(paths: readonly string[]): { embedded: Report; aws: Report } {
  const [embedded, aws] = paths
  if (embedded !== undefined && aws !== undefined) return { embedded: readReport(embedded), aws: readReport(aws) }
  const folder = mkdtempSync(join(tmpdir(), 'backstop-contract-'))
  try {
    return {
      embedded: runSuites(SUITES.embedded, join(folder, 'embedded.json')),
      aws: runSuites(SUITES.aws, join(folder, 'aws.json')),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const table = buildContractTable(collect(process.argv.slice(2)))
process.stdout.write(`${renderContractTable(table)}\n`)
process.exitCode = table.problems.length === 0 ? 0 : 1
