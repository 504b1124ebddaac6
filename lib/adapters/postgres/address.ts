/** Where a database is and how to get in, as the driver wants it. */
import type pg from 'pg'
import { BackstopError } from '#lib/kernel/index.ts'

/** Encryption of the connection to a server. */
export type PostgresTls =
  /** The certificate must come from one of these authorities (PEM) and name the host. */
  | { readonly mode: 'verify-full'; readonly ca: readonly string[] }
  /** Everything passes in the clear, the password too: for a server on this machine. */
  | { readonly mode: 'disable' }

/** A server whose password is asked for anew with each connection: a token that ends soon, or a secret that rotates. */
export interface PostgresServer {
  readonly host: string
  readonly port: number
  readonly name: string
  readonly user: string
  readonly tls: PostgresTls
  password(): Promise<string>
  /** Called when the server refused the password; then it is asked for again, once. */
  forgetPassword?(): void
}

export type PostgresAddress =
  /** `postgresql://user:password@host:port/name?sslmode=…`. Never shown. */
  { readonly url: string; readonly server?: undefined } | { readonly server: PostgresServer; readonly url?: undefined }

/** `host:port/name` of an address. Throws CONFIG_INVALID without showing the URL. */
export function labelOf(address: PostgresAddress): string {
  if (address.server !== undefined) return `${address.server.host}:${address.server.port}/${address.server.name}`
  try {
    const parsed = new URL(address.url)
    if (!['postgres:', 'postgresql:'].includes(parsed.protocol)) throw new TypeError('not a PostgreSQL URL')
    return `${parsed.hostname || 'localhost'}:${parsed.port || 5432}/${decodeURIComponent(parsed.pathname.slice(1))}`
  } catch {
    throw new BackstopError(
      'CONFIG_INVALID',
      'The database URL is malformed. Write postgresql://user:password@host:5432/name.',
    )
  }
}

/** The driver's configuration of an address; `password` is the one that was asked for last. */
export function driverAddress({ url, server }: PostgresAddress, password: () => string): pg.ClientConfig {
  if (server === undefined) return { connectionString: url }
  const { host, port, name, user, tls } = server
  return {
    host,
    port,
    database: name,
    user,
    password,
    // `host` again: without it the certificate of a server that is named by its address would not be compared with it.
    ssl: tls.mode === 'disable' ? false : { ca: [...tls.ca], rejectUnauthorized: true, host },
  }
}
