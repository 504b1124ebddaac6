/** Starts the product as a child process, talks to it, and kills it. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { PATIENT_LIMITS } from '#test/support/patient-limits.ts'
import { TOKEN_FILE } from '#test/support/product.ts'

export interface ChildOrder {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly tokens: string
  readonly sealEveryMs: number
  /** Kept data of the product's own server; absent: the environment names a database. */
  readonly clusterFolder?: string
}

export interface RestoreOrder {
  readonly id: number
  readonly snapshotId: string
  readonly target: string
}

export interface RestoreAnswer {
  readonly kind: 'restored'
  readonly id: number
  readonly rowCount?: number
  readonly error?: string
}

export interface ProductProcess {
  readonly url: string
  readonly databaseUrl: string
  readonly isAlive: () => boolean
  /** Rejects when the process ends first. */
  restore(snapshotId: string, target: string): Promise<RestoreAnswer>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

interface Ready {
  readonly kind: 'ready'
  readonly url: string
  readonly databaseUrl: string
}

const START_DEADLINE_MS = 180_000

async function waitUntilReady(child: ChildProcess, errors: () => string): Promise<Ready> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the product ended with code ${code} before it was ready: ${errors()}`)
  })
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error('the product was not ready in time')), START_DEADLINE_MS)
    timer.unref()
  })
  const [message] = (await Promise.race([once(child, 'message'), ended, late])) as [Ready]
  return message
}

let nextRestoreId = 1

function restoreIn(child: ChildProcess, snapshotId: string, target: string): Promise<RestoreAnswer> {
  const id = nextRestoreId++
  const { promise, resolve, reject } = Promise.withResolvers<RestoreAnswer>()
  const onMessage = (message: RestoreAnswer) => {
    if (message.id === id) resolve(message)
  }
  const onExit = () => reject(new Error('the product was killed'))
  child.on('message', onMessage)
  child.once('exit', onExit)
  child.send({ id, snapshotId, target } satisfies RestoreOrder, (error) => error !== null && onExit())
  return promise.finally(() => {
    child.off('message', onMessage)
    child.off('exit', onExit)
  })
}

export async function startProcess(order: Omit<ChildOrder, 'tokens'>): Promise<ProductProcess> {
  const script = fileURLToPath(new URL('./child.ts', import.meta.url))
  const environment = { ...PATIENT_LIMITS, ...order.environment }
  const child = fork(script, [JSON.stringify({ ...order, environment, tokens: TOKEN_FILE } satisfies ChildOrder)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let errorText = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errorText = (errorText + chunk.toString()).slice(-4_000)
  })
  child.on('error', () => {})
  const ready = await waitUntilReady(child, () => errorText)
  return {
    ...ready,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    restore: (snapshotId, target) => restoreIn(child, snapshotId, target),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
