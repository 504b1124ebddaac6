/** Puts a proxy between the deployed functions and their cloud, which writes down what each of them asks for. */
import { appendFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { startFaultProxy } from '../fault-proxy.ts'
import type { RecordedCall } from './model.ts'
import { readWanted } from './read-wanted.ts'

const FUNCTIONS_PATH = '/2015-03-31/functions'
/** The SDK puts `app/<id>` into its user agent. */
const APP_ID = 'AWS_SDK_UA_APP_ID'
/** Powertools adds its own mark behind it. */
const USER_AGENT = /\bapp\/(?<name>\S+?)(?:-PT-NO-OP\S*)?(?:\s|$)/

interface FunctionConfiguration {
  readonly FunctionName: string
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> }
}

async function listFunctions(endpoint: string): Promise<readonly FunctionConfiguration[]> {
  const response = await fetch(`${endpoint}${FUNCTIONS_PATH}/?MaxItems=1000`)
  const { Functions } = (await response.json()) as { Functions: readonly FunctionConfiguration[] }
  return Functions.filter(({ FunctionName }) => FunctionName.startsWith('backstop-'))
}

async function redirect(endpoint: string, proxy: string, { FunctionName, Environment }: FunctionConfiguration) {
  const Variables = { ...Environment?.Variables, AWS_ENDPOINT_URL: proxy, [APP_ID]: FunctionName }
  const response = await fetch(`${endpoint}${FUNCTIONS_PATH}/${FunctionName}/configuration`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ Environment: { Variables } }),
  })
  if (!response.ok) throw new Error(`${FunctionName} cannot be redirected: HTTP ${response.status}`)
}

function recordOf(request: IncomingMessage, body: Buffer): RecordedCall {
  const agent = String(request.headers['user-agent'])
  const functionName = USER_AGENT.exec(agent)?.groups?.['name'] ?? 'unknown'
  const { method = 'GET', url = '/', headers } = request
  return { functionName, ...readWanted({ method, url, headers, body }) }
}

export interface CallRecorder {
  readonly functionNames: readonly string[]
  close(): Promise<void>
}

/** `file`: one call a line, each different one once. */
export async function recordCalls(endpoint: string, file: string): Promise<CallRecorder> {
  writeFileSync(file, '')
  const seen = new Set<string>()
  const onRequest = (request: IncomingMessage, body: Buffer) => {
    const line = JSON.stringify(recordOf(request, body))
    if (seen.has(line)) return
    seen.add(line)
    appendFileSync(file, `${line}\n`)
  }
  const proxy = await startFaultProxy({ upstream: endpoint, onRequest })
  const functions = await listFunctions(endpoint)
  for (const one of functions) await redirect(endpoint, proxy.endpoint, one)
  return { functionNames: functions.map(({ FunctionName }) => FunctionName), close: () => proxy.close() }
}
