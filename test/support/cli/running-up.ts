/** `backstop up` as a child process, ready to be called. */
import { eventually } from '#test/support/eventually.ts'
import { PATIENT_LIMITS } from '#test/support/patient-limits.ts'
import { type RunningCli, startCli } from './run-cli.ts'

export interface Ready {
  readonly url: string
  readonly storage: string
  readonly metadata_db: string
  readonly is_embedded: boolean
  readonly dev_mode: boolean
  /** Null: not served. */
  readonly sync_url: string | null
}

export interface RunningUp extends RunningCli {
  readonly ready: Ready
}

/** With `PATIENT_LIMITS` under the environment. Throws with what it printed when it ends instead. */
export async function startUpProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<RunningUp> {
  const running = startCli(['up', '--port', '0', '--json', ...args], { ...PATIENT_LIMITS, ...environment })
  let ended: string | undefined
  void running.end.then(({ stdout, stderr }) => {
    ended = `${stdout}${stderr}`
  })
  const line = await eventually(
    () => {
      if (ended !== undefined) throw new Error(`it ended: ${ended}`)
      return /^\{"event":"ready".*\}\n/.exec(running.stdout())?.[0]
    },
    { timeoutMs: 180_000, what: 'backstop up is ready' },
  )
  return { ...running, ready: JSON.parse(line) as Ready }
}

export async function callGateway(url: string, path: string, token?: string, body?: object) {
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  const response = await fetch(
    new URL(path, url),
    body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) },
  )
  return { status: response.status, body: JSON.parse(await response.text()) }
}

export async function executeQuery(url: string, token: string, query: string, approvalId?: string) {
  const args = { query, agent_id: 'agent-1', ...(approvalId === undefined ? {} : { approval_id: approvalId }) }
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'execute_query', arguments: args } }
  return (await callGateway(url, '/', token, call)).body.result
}
