/** DuckDB with its PostgreSQL extension, from the Python package index: the extension comes in a package of its own there. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Run, Skipped } from './model.ts'
import { libpqEnvironment, runProgram } from './program.ts'

const VERSION = '1.5.5'
const PACKAGES = [`duckdb==${VERSION}`, `duckdb-extension-postgres-scanner==${VERSION}`]

const LOAD_AND_RUN = `
import duckdb, glob, os, sys
import duckdb_extension_postgres_scanner as home
found = glob.glob(os.path.join(os.path.dirname(home.__file__), "**", "*.duckdb_extension"), recursive=True)[0]
connection = duckdb.connect()
connection.execute("LOAD '" + found + "'")
connection.execute("ATTACH '' AS pg (TYPE postgres)")
connection.execute(sys.argv[1])
`

export interface DuckDb {
  readonly version: string
  /** One statement; the database is attached as `pg`. */
  run(url: string, sql: string): Promise<Run>
}

/** Installs it into the folder when it is not there yet. */
export function openDuckDb(folder: string): DuckDb | Skipped {
  const home = join(folder, `duckdb-${VERSION}`)
  const python = join(home, 'bin', 'python')
  const problem = existsSync(join(home, 'installed')) ? undefined : install(home, python)
  if (problem !== undefined) return { what: 'DuckDB', reason: problem }
  return {
    version: VERSION,
    run: (url, sql) =>
      runProgram({ path: python, args: ['-c', LOAD_AND_RUN, sql], environment: libpqEnvironment(url) }),
  }
}

function install(home: string, python: string): string | undefined {
  const steps: readonly (readonly string[])[] = [
    ['python3', '-m', 'venv', home],
    [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES],
    ['touch', join(home, 'installed')],
  ]
  for (const [program = '', ...args] of steps) {
    const done = spawnSync(program, args, { encoding: 'utf8' })
    if (done.status !== 0)
      return `${program} ${args[0]} failed: ${(done.stderr ?? String(done.error)).slice(-200).trim()}`
  }
  return undefined
}
