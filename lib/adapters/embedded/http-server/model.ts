/** Options of the HTTP server, and the handle on a running one. */

export interface TlsFiles {
  /** PEM text. */
  readonly certificate: string
  readonly key: string
}

export interface HttpServerOptions {
  /** Loopback unless it is given. */
  readonly host?: string
  /** 0: any free port. */
  readonly port: number
  readonly tls?: TlsFiles
  readonly timeouts?: Partial<HttpServerTimeouts>
  readonly maxConnections?: number
}

export interface HttpServerTimeouts {
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number
  /** From the first byte of a request to the end of its body. */
  readonly requestMs: number
  /** How long an idle connection is kept. */
  readonly keepAliveMs: number
  /** How long a response may wait for a reader that does not read. */
  readonly writeMs: number
  /** How often the first two are checked. */
  readonly checkMs: number
}

export const DEFAULT_TIMEOUTS: HttpServerTimeouts = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  writeMs: 30_000,
  checkMs: 2_000,
}

export const DEFAULT_HOST = '127.0.0.1'
export const MAX_HEADER_BYTES = 16_384
export const DEFAULT_MAX_CONNECTIONS = 2_048

export interface CloseReport {
  /** Requests that ran to their end after the close began. */
  readonly finishedCount: number
  /** Requests that were cut off at the deadline. */
  readonly abortedCount: number
}

export interface RunningHttpServer {
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:8080` */
  readonly url: string
  /**
   * Stop accepting, let running requests finish until the deadline, then abort their signals and cut them off.
   * Idempotent: later calls return the first one's report.
   */
  close(deadlineMs: number): Promise<CloseReport>
}
