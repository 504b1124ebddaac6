/** What `cloud up` and `cloud deploy` leave for the commands after them. */
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ShopTokens } from '#lib/cli/shop/index.ts'
import type { LocalCloud } from './local-cloud.ts'

export interface Deployed {
  /** With a slash at its end. */
  readonly apiUrl: string
  /** Every output of every stack, by its export-free name. */
  readonly outputs: Readonly<Record<string, string>>
  readonly tokens: ShopTokens['tokens']
}

export const STATE_FOLDER = join(dirname(import.meta.dirname), '.backstop', 'cloud')
const STATE_FILE = join(STATE_FOLDER, 'state.json')

export interface CloudState {
  /** Of the process that keeps the emulator and the database. */
  readonly pid: number
  readonly cloud: Omit<LocalCloud, 'stop'>
  /** Absent before the first deployment. */
  readonly deployed?: Deployed
}

/** Readable for its owner alone: it holds the passwords of the local database and the demo's tokens. */
export async function writeState(state: CloudState): Promise<void> {
  await mkdir(STATE_FOLDER, { recursive: true })
  const draft = `${STATE_FILE}.${process.pid}`
  await writeFile(draft, JSON.stringify(state, null, 2), { mode: 0o600 })
  await chmod(draft, 0o600)
  await rename(draft, STATE_FILE)
}

/** Undefined when nothing was started, or when what was started is gone. */
export async function findState(): Promise<CloudState | undefined> {
  try {
    const state = JSON.parse(await readFile(STATE_FILE, 'utf8')) as CloudState
    process.kill(state.pid, 0)
    return state
  } catch {
    return undefined
  }
}

export async function forgetState(): Promise<void> {
  await rm(STATE_FILE, { force: true })
}
