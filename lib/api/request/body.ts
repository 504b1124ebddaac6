/** Read and decode the body of a request. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { HttpRequest } from '#lib/ports/index.ts'

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-?8"?)?\s*$/i
const UTF8 = new TextDecoder('utf-8', { fatal: true })

function assertPlain(request: HttpRequest): void {
  const codings = request.headerValues('content-encoding')
  if (codings.every((coding) => coding.toLowerCase() === 'identity')) return
  throw new BackstopError('MEDIA_TYPE_UNSUPPORTED', 'Content-Encoding is not supported')
}

/** Throws `MEDIA_TYPE_UNSUPPORTED`. */
export function assertJsonType(request: HttpRequest): void {
  const [type, ...more] = request.headerValues('content-type')
  if (type !== undefined && more.length === 0 && JSON_TYPE.test(type)) return
  throw new BackstopError('MEDIA_TYPE_UNSUPPORTED', 'Content-Type must be application/json')
}

/** Undefined: not UTF-8. Throws `BODY_TOO_LARGE`, `BODY_INVALID`, `MEDIA_TYPE_UNSUPPORTED`. */
export async function readText(request: HttpRequest, limitBytes: number): Promise<string | undefined> {
  assertPlain(request)
  const bytes = await request.readBody(limitBytes)
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}

/** An empty body is `{}`. Throws what `readText` throws, and `BODY_INVALID` for what is not JSON. */
export async function readJson(request: HttpRequest, limitBytes: number): Promise<unknown> {
  const text = await readText(request, limitBytes)
  if (text === '') return {}
  assertJsonType(request)
  try {
    return JSON.parse(text ?? '')
  } catch {
    throw new BackstopError('BODY_INVALID', 'the body is not valid JSON in UTF-8')
  }
}
