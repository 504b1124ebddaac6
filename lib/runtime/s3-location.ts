/** `s3://bucket[/prefix][@endpoint]` as a place. Pure. */
import { BackstopError } from '#lib/kernel/index.ts'

export interface S3Location {
  readonly bucket: string
  readonly prefix: string
  /** Absent: Amazon S3. */
  readonly endpoint?: string
}

const FORM = /^s3:\/\/(?<bucket>[^/@?#]*)(?:\/(?<prefix>[^@?#]*))?(?:@(?<endpoint>.+))?$/
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$)/

/** Messages never repeat the URL: people put keys into such URLs. */
function refuse(reason: string): never {
  throw new BackstopError('STORAGE_URL_INVALID', `The storage URL is malformed: ${reason}.`)
}

/** Throws STORAGE_URL_INVALID. */
export function parseS3Location(url: string): S3Location {
  const groups = FORM.exec(url)?.groups
  if (groups === undefined) refuse('it has the form s3://bucket[/prefix][@endpoint]')
  const { bucket, prefix = '', endpoint } = groups
  if (bucket === undefined || bucket === '') refuse('it names no bucket')
  if (bucket.includes(':')) {
    refuse(
      'credentials do not belong there; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or use a role',
    )
  }
  const segments = prefix.replace(/\/$/, '').split('/')
  if (prefix !== '' && segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    refuse('the prefix has an empty, "." or ".." segment')
  }
  return { bucket, prefix, ...(endpoint !== undefined && { endpoint: endpointOf(endpoint) }) }
}

/** A bare `host:port` is https, on this machine http. */
export function endpointOf(text: string): string {
  const hasScheme = /^https?:\/\//.test(text)
  const url = URL.parse(hasScheme ? text : `${LOOPBACK.test(text) ? 'http' : 'https'}://${text}`)
  if (url === null || url.hostname === '') refuse('what follows the "@" is no address such as http://127.0.0.1:9000')
  if (url.username !== '' || url.password !== '') refuse('credentials do not belong there; set AWS_ACCESS_KEY_ID')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') refuse('the endpoint is an address without a path')
  return url.origin
}
