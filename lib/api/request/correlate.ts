/** The id that ties a request to its answer, its audit event and its log lines. */
import { ID_BYTES, newId } from '#lib/kernel/index.ts'
import type { HttpRequest, Random } from '#lib/ports/index.ts'

const CORRELATION_ID = /^[A-Za-z0-9._-]{1,128}$/

/** The caller's `x-correlation-id` when it is one plain word, else a new id. */
export function correlationIdOf(request: Pick<HttpRequest, 'headerValues'>, random: Random): string {
  const [given, ...more] = request.headerValues('x-correlation-id')
  if (given !== undefined && more.length === 0 && CORRELATION_ID.test(given)) return given
  return newId('req', random.bytes(ID_BYTES))
}
