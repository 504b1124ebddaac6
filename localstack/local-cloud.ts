/** A cloud and a database on this machine, with empty state: LocalStack where it can run, MiniStack elsewhere. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { startMinistack } from './ministack.ts'

const run = promisify(execFile)

export const CLOUD_PORT = 4_566

/** A PostgreSQL as this machine and as the functions reach it. */
export interface LocalDatabase {
  /** The superuser's, from this machine. Holds a password: never print it. */
  readonly url: string
  /** As the functions see it; a container has another name for it. */
  readonly host: string
  readonly port: number
}

export interface LocalCloud {
  readonly kind: 'localstack' | 'ministack'
  readonly endpoint: string
  readonly database: LocalDatabase
  stop(): Promise<void>
}

/** What can run here, and if LocalStack cannot, why. */
export async function chooseEmulator(): Promise<{ readonly kind: LocalCloud['kind']; readonly because: string }> {
  const token = process.env['LOCALSTACK_AUTH_TOKEN'] ?? ''
  if (token === '') return { kind: 'ministack', because: 'LOCALSTACK_AUTH_TOKEN is not set' }
  try {
    await run('docker', ['info', '--format', '{{.ServerVersion}}'])
    return { kind: 'localstack', because: 'there is a Docker engine and a token' }
  } catch {
    return { kind: 'ministack', because: 'no Docker engine answers' }
  }
}

async function openMinistack(port: number): Promise<LocalCloud> {
  const cluster = await startCluster({ settings: { max_connections: '200' } })
  try {
    const emulator = await startMinistack({ port })
    return {
      kind: 'ministack',
      endpoint: emulator.endpoint,
      database: { url: cluster.urlFor('postgres'), host: cluster.host, port: cluster.port },
      stop: async () => {
        await emulator.stop()
        await cluster.stop()
      },
    }
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/** The image keeps nothing between starts; `down -v` first makes that true of volumes as well. */
async function openLocalstack(): Promise<LocalCloud> {
  const password = randomBytes(18).toString('base64url')
  const compose = async (...args: string[]) => {
    const file = join(import.meta.dirname, 'compose.yaml')
    await run('docker', ['compose', '--file', file, ...args], {
      env: { ...process.env, BACKSTOP_LOCAL_DB_PASSWORD: password },
    })
  }
  await compose('down', '--volumes')
  await compose('up', '--detach', '--wait')
  return {
    kind: 'localstack',
    endpoint: `http://127.0.0.1:${CLOUD_PORT}`,
    database: { url: `postgresql://postgres:${password}@127.0.0.1:5466/postgres`, host: 'postgres', port: 5_432 },
    stop: () => compose('down', '--volumes'),
  }
}

/** `port` 0: any free one (MiniStack alone). Throws when neither emulator can be started. */
export async function startLocalCloud(port: number = CLOUD_PORT): Promise<LocalCloud> {
  const { kind } = await chooseEmulator()
  return kind === 'localstack' ? await openLocalstack() : await openMinistack(port)
}
