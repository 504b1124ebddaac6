/** Refuse requests under foreign host names, so that a web page cannot reach a loopback server by rebinding its DNS name. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { HttpRequest } from '#lib/ports/index.ts'

const PORT_SUFFIX = /:\d{1,5}$/

/** Throws `HOST_NOT_ALLOWED`. Ports are not compared. */
export function assertHost(request: HttpRequest, allowedHosts: ReadonlySet<string>): void {
  const [host, ...more] = request.headerValues('host')
  const name = host?.toLowerCase().replace(PORT_SUFFIX, '')
  if (name !== undefined && more.length === 0 && allowedHosts.has(name)) return
  throw new BackstopError('HOST_NOT_ALLOWED', 'the Host header names a host that this gateway does not answer for')
}
