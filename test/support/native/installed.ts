/** The PostgreSQL that is installed here, with its server and all of its programs; never half of it, never in silence. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const PROGRAMS = ['postgres', 'initdb', 'pg_dump', 'pg_restore', 'pg_basebackup']
const PARENTS = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt']

const INSTALL =
  'Install PostgreSQL with its server: "apt-get install postgresql" (Debian, Ubuntu), "dnf install postgresql-server", ' +
  '"brew install postgresql@18"; or name its folder of programs in BACKSTOP_TEST_PG_BIN.'

function candidates(): string[] {
  const given = process.env['BACKSTOP_TEST_PG_BIN']
  if (given !== undefined) return [given]
  const found = PARENTS.flatMap((parent) =>
    existsSync(parent) ? readdirSync(parent).map((name) => join(parent, name, 'bin')) : [],
  )
  return [
    ...found.sort((left, right) => right.localeCompare(left, 'en', { numeric: true })),
    '/usr/bin',
    '/usr/pgsql/bin',
  ]
}

/** Throws with what is missing and how to install it. */
export function installedBinFolder(): string {
  const folders = candidates()
  const whole = folders.find((folder) => PROGRAMS.every((program) => existsSync(join(folder, program))))
  if (whole !== undefined) return whole
  throw new Error(`These tests need ${PROGRAMS.join(', ')} of one PostgreSQL, and no folder has them all. ${INSTALL}`)
}
