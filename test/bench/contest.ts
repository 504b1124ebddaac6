/** Contenders in turn, and the product among them as its users start it. */
import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join, resolve } from 'node:path'

const TOKEN = 'bench-token-0123456789abcdef'
const TOKENS = JSON.stringify([{ id: 'bench', token: TOKEN, scopes: ['query:execute'] }])

export type Query = () => Promise<void>

/** Rounds of the contenders in turn, so that a machine that drifts drifts for all of them. */
export async function measure(
  contenders: ReadonlyMap<string, Query>,
  clients: number,
  rounds: number,
  perRound: number,
) {
  const samples = new Map([...contenders.keys()].map((name) => [name, [] as number[]]))
  for (let round = -1; round < rounds; round++) {
    for (const [name, query] of contenders) {
      const taken: number[] = []
      const client = async () => {
        for (let one = 0; one < perRound / clients; one++) {
          const startedMs = performance.now()
          await query()
          taken.push(performance.now() - startedMs)
        }
      }
      await Promise.all(Array.from({ length: clients }, client))
      if (round >= 0) samples.get(name)?.push(...taken)
    }
  }
  return samples
}

/** `expected`: what every answer holds. */
export function overHttp(url: string, sql: () => string, expected: string): Query {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const { hostname, port } = new URL(url)
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call' }
  return () =>
    new Promise((resolve, reject) => {
      const params = { name: 'execute_query', arguments: { query: sql(), agent_id: 'bench' } }
      const body = JSON.stringify({ ...call, params })
      const headers = {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      }
      const sending = request({ agent, hostname, port, method: 'POST', path: '/', headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => (text.includes(expected) ? resolve() : reject(new Error(text.slice(0, 300)))))
      })
      sending.on('error', reject).end(body)
    })
}

export interface ProductProcess {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** The product as its users start it: a process of its own, as every contender's server is. */
export async function startProduct(
  dbUrl: string,
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<ProductProcess> {
  await mkdir(folder, { recursive: true })
  const tokens = join(folder, 'tokens.json')
  await writeFile(tokens, TOKENS, { mode: 0o600 })
  const child = spawn(process.execPath, ['bin/backstop.ts', 'up', '--data', join(folder, 'data'), '--json'], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: {
      ...process.env,
      BACKSTOP_PORT: '0',
      BACKSTOP_DB_URL: dbUrl,
      BACKSTOP_TOKENS: tokens,
      BACKSTOP_RATE_PER_SECOND: '1000000',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  const url = await new Promise<string>((found, failed) => {
    child.once('exit', (code) => failed(new Error(`the product ended with ${code}: ${text}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const match = /"url":\s*"([^"]+)"/.exec(text)
      if (match?.[1] !== undefined) found(match[1])
    })
  })
  child.removeAllListeners('exit')
  return {
    url,
    pid: child.pid ?? 0,
    stop: async () => {
      const ended = new Promise((done) => child.once('exit', done))
      child.kill('SIGTERM')
      await ended
    },
  }
}
