/** A connection URL as the variables that libpq reads, so that nothing of it is ever an argument. Pure. */
import { BackstopError } from '#lib/kernel/index.ts'

export type Variables = Readonly<Record<string, string>>

/** Parameters of a URL, and the variable that says the same. */
const PARAMETERS: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: 'PGDATABASE',
  application_name: 'PGAPPNAME',
  channel_binding: 'PGCHANNELBINDING',
  client_encoding: 'PGCLIENTENCODING',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  gssencmode: 'PGGSSENCMODE',
  options: 'PGOPTIONS',
  passfile: 'PGPASSFILE',
  sslcert: 'PGSSLCERT',
  sslcrl: 'PGSSLCRL',
  sslkey: 'PGSSLKEY',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
}

function invalid(message: string): BackstopError {
  return new BackstopError('CONFIG_INVALID', message)
}

function parse(url: string): URL {
  try {
    const parsed = new URL(url)
    if (parsed.protocol === 'postgres:' || parsed.protocol === 'postgresql:') return parsed
  } catch {
    // Said below, without the URL.
  }
  throw invalid('The database URL is malformed. Write postgresql://user:password@host:5432/name.')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('The database URL has a "%" that is no escape. Write a "%" of the password as %25.')
  }
}

/** Throws CONFIG_INVALID without showing the URL. */
export function connectionVariables(url: string): Variables {
  const parsed = parse(url)
  const named: Record<string, string> = {
    // An address of IPv6 stands in brackets in a URL alone.
    PGHOST: decode(parsed.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost',
    PGPORT: parsed.port,
    PGUSER: decode(parsed.username),
    PGPASSWORD: decode(parsed.password),
    PGDATABASE: decode(parsed.pathname.slice(1)),
  }
  for (const [name, value] of parsed.searchParams) {
    const variable = PARAMETERS[name]
    if (variable === undefined)
      throw invalid(`The database URL has the parameter "${name}", which cannot be passed on.`)
    named[variable] = value
  }
  const variables = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== ''))
  if (Object.values(variables).some((value) => value.includes('\0'))) throw invalid('The database URL holds a NUL.')
  return variables
}

/** `dbname='it\'s'`: a name that cannot be taken for a connection string, for programs that want it as an argument. */
export function databaseArgument(variables: Variables): string {
  const name = variables['PGDATABASE'] ?? variables['PGUSER'] ?? 'postgres'
  return `dbname='${name.replaceAll(/['\\]/g, (character) => `\\${character}`)}'`
}

/** What a program of PostgreSQL's may know of our own surroundings: nothing of ours, no other way to a server. */
const PASSED_ON = /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|SYSTEMROOT|APPDATA|KRB5\w+)$/i
const CREDENTIALS = /^PG(?:PASSWORD|PASSFILE|SSL\w+|GSSENCMODE|CHANNELBINDING|REQUIREAUTH)$/

export function toolEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  connection: Variables = {},
): Variables {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (PASSED_ON.test(entry[0]) || CREDENTIALS.test(entry[0])),
  )
  // Messages are read by us: in English, whatever the user's language is.
  return { ...Object.fromEntries(kept), LC_MESSAGES: 'C', ...connection }
}
