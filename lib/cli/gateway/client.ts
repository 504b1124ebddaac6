/** Calls a running gateway over HTTP, as anyone else would. */
import { readFile } from 'node:fs/promises'
import { BackstopError, ERRORS, type ErrorCode } from '#lib/kernel/index.ts'
import type { CommandContext } from '../frame/index.ts'
import { findSetting } from '../frame/index.ts'

const DEFAULT_URL = 'http://127.0.0.1:8080'
const TIMEOUT_MS = 60_000

export interface GatewayReply {
  readonly status: number
  readonly body: unknown
}

export interface Gateway {
  readonly url: string
  /** Whatever the gateway answers. Throws GATEWAY_UNREACHABLE, GATEWAY_ANSWER_INVALID. */
  send(method: 'GET' | 'POST', path: string, body?: object): Promise<GatewayReply>
}

export interface GatewayOptions {
  readonly url: string
  readonly token: string
  readonly signal?: AbortSignal
}

async function readReply(response: Response): Promise<GatewayReply> {
  const content = await response.text()
  try {
    return { status: response.status, body: JSON.parse(content) as unknown }
  } catch {
    throw new BackstopError('GATEWAY_ANSWER_INVALID', `the answer (HTTP ${response.status}) is not JSON`)
  }
}

function asSignal(signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout])
}

/** A gateway may lie under a path, such as the stage of an API; `path` begins with a slash. */
function addressOf(url: string, path: string): URL {
  return new URL(path.slice(1), url.endsWith('/') ? url : `${url}/`)
}

export function openGateway({ url, token, signal }: GatewayOptions): Gateway {
  return {
    url,
    async send(method, path, body) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const request = {
        method,
        headers,
        signal: asSignal(signal),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }
      let response: Response
      try {
        response = await fetch(addressOf(url, path), request)
      } catch (error) {
        if (signal?.aborted === true) throw error
        throw new BackstopError('GATEWAY_UNREACHABLE', `no gateway answers at ${url}`, { cause: error })
      }
      return await readReply(response)
    },
  }
}

/** Names that the public pages fix; every other one is its code in lower case. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  'approval ID not found': 'APPROVAL_MISSING',
  self_approval: 'APPROVAL_SELF',
}

function codeOf(name: string): ErrorCode {
  const code = CODES[name] ?? name.toUpperCase()
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'GATEWAY_ANSWER_INVALID'
}

interface ErrorBody {
  readonly error?: string
  readonly message?: string
  readonly status?: string
  readonly decided_by?: string | null
  readonly decided_at?: string | null
}

/** What a refusal means; the first decision is told to whoever came second. */
function asError({ status, body }: GatewayReply): BackstopError {
  const { error = '', message = `HTTP ${status}`, ...first } = (body ?? {}) as ErrorBody
  const code = codeOf(error)
  if (code !== 'APPROVAL_DECIDED') return new BackstopError(code, message)
  const by = first.decided_by ? ` by ${first.decided_by}` : ''
  const at = first.decided_at ? ` at ${first.decided_at}` : ''
  return new BackstopError(code, `it was already ${first.status ?? 'decided'}${by}${at}`)
}

/** The body of a 2xx answer; any other is thrown. */
export async function request<Body>(
  gateway: Gateway,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<Body> {
  const reply = await gateway.send(method, path, body)
  if (reply.status >= 200 && reply.status < 300) return reply.body as Body
  throw asError(reply)
}

interface GatewayFlags {
  readonly url: string | undefined
  readonly tokenFile: string | undefined
}

function checkUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new BackstopError('USAGE_INVALID', 'the address of the gateway is an http or https URL')
}

async function readToken(flags: GatewayFlags, environment: CommandContext['environment']): Promise<string> {
  if (flags.tokenFile === undefined) {
    const token = findSetting(undefined, 'BACKSTOP_TOKEN', environment)
    if (token !== undefined) return token
    throw new BackstopError('USAGE_INVALID', 'no token: set BACKSTOP_TOKEN or give --token-file')
  }
  try {
    return (await readFile(flags.tokenFile, 'utf8')).trim()
  } catch (error) {
    throw new BackstopError('SECRET_MISSING', `the token file ${flags.tokenFile} cannot be read`, { cause: error })
  }
}

/** The gateway that flags and environment name. Tokens are never arguments: those show in the list of processes. */
export async function connectGateway(flags: GatewayFlags, context: CommandContext): Promise<Gateway> {
  const url = checkUrl(findSetting(flags.url, 'BACKSTOP_URL', context.environment) ?? DEFAULT_URL)
  return openGateway({ url, token: await readToken(flags, context.environment), signal: context.signal })
}
