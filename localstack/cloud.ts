/**
 * The product on a cloud of this machine: `npm run cloud:up`, `cloud:deploy`, `cloud:status`, `cloud:down`.
 *
 * `cloud:test` needs none of them: it starts a cloud of its own, from empty state, and ends it.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { deploy } from './deploy.ts'
import { chooseEmulator } from './local-cloud.ts'
import { type CloudState, findState, STATE_FOLDER, writeState } from './state.ts'

const UP_WITHIN_MS = 180_000
const DOWN_WITHIN_MS = 30_000

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function until<T>(deadlineMs: number, look: () => Promise<T | undefined>, otherwise: () => string): Promise<T> {
  const end = performance.now() + deadlineMs
  while (performance.now() < end) {
    const found = await look()
    if (found !== undefined) return found
    await delay(100)
  }
  throw new Error(otherwise())
}

async function up(): Promise<CloudState> {
  const running = await findState()
  if (running !== undefined) {
    say(`The local cloud is up: ${running.cloud.kind} at ${running.cloud.endpoint}.`)
    return running
  }
  const { kind, because } = await chooseEmulator()
  say(`Starting ${kind} (${because}) and a PostgreSQL …`)
  mkdirSync(STATE_FOLDER, { recursive: true })
  const log = join(STATE_FOLDER, 'hold.log')
  const output = openSync(log, 'w')
  const holder = spawn(process.execPath, [join(import.meta.dirname, 'hold.ts')], {
    detached: true,
    stdio: ['ignore', output, output],
  })
  holder.unref()
  const state = await until(
    UP_WITHIN_MS,
    () => (holder.exitCode === null ? findState() : Promise.reject(new Error(readFileSync(log, 'utf8')))),
    () => `It did not start in time. See ${log}.`,
  )
  say(`${state.cloud.kind} answers at ${state.cloud.endpoint}. Next: npm run cloud:deploy`)
  return state
}

/** A redeployment starts from an empty cloud too: emulators re-create what they should update. */
async function deployToRunning(): Promise<void> {
  const state = await up()
  if (state.deployed !== undefined) {
    await down()
    return deployToRunning()
  }
  const deployed = await deploy(state.cloud, say)
  await writeState({ ...state, deployed })
  say(`Deployed: ${deployed.apiUrl}`)
  say(
    `Try it:   curl -s -H "Authorization: Bearer $(npm run --silent cloud:token -- ops)" ${deployed.apiUrl}metadata/health`,
  )
}

async function down(): Promise<void> {
  const state = await findState()
  if (state === undefined) return say('No local cloud is up.')
  process.kill(state.pid, 'SIGTERM')
  await until(
    DOWN_WITHIN_MS,
    async () => ((await findState()) === undefined ? true : undefined),
    () => `Process ${state.pid} does not end.`,
  )
  say('The local cloud is down; nothing of it is kept.')
}

async function status(): Promise<void> {
  const state = await findState()
  if (state === undefined) return say('No local cloud is up. Start one: npm run cloud:up')
  say(`${state.cloud.kind} at ${state.cloud.endpoint}, process ${state.pid}`)
  say(state.deployed === undefined ? 'Nothing is deployed: npm run cloud:deploy' : `API: ${state.deployed.apiUrl}`)
}

/** Prints one of the demonstration's tokens, for a shell's `$(…)`. */
async function token(principal: string | undefined): Promise<void> {
  const tokens: Readonly<Record<string, string>> = (await findState())?.deployed?.tokens ?? {}
  const found = principal === undefined ? undefined : tokens[principal]
  if (found === undefined) throw new Error(`Name one of ${Object.keys(tokens).join(', ') || '… (deploy first)'}.`)
  say(found)
}

const [command, argument] = process.argv.slice(2)
const commands: Readonly<Record<string, () => Promise<unknown>>> = {
  up,
  deploy: deployToRunning,
  down,
  status,
  token: () => token(argument),
}
const run = commands[command ?? '']
if (run === undefined) {
  say(`usage: cloud ${Object.keys(commands).join('|')}`)
  process.exitCode = 2
} else {
  await run().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
}
