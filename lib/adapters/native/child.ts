/** Runs one program: its output as a stream that ends only when the program ended well. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { BackstopError } from '#lib/kernel/index.ts'
import { describeComplaint } from './complaint.ts'
import type { Variables } from './connection.ts'
import { giveBackSessionName, takeSessionName } from './session-name.ts'

export interface ProgramOrder {
  readonly tool: string
  readonly path: string
  readonly args: readonly string[]
  readonly environment: Variables
  readonly signal?: AbortSignal | undefined
  /** For its standard input; absent: empty. */
  readonly input?: AsyncIterable<Uint8Array>
  /** What it writes to its standard error, as it comes. */
  readonly onSaid?: (text: string) => void
  /** An error of its own for what the program complains of. */
  readonly explain?: (complaint: string) => BackstopError | undefined
}

const COMPLAINT_BYTES = 65_536
/** A program that does not end when it is asked to. */
const KILL_AFTER_MS = 5_000

type Child = ChildProcessByStdio<Writable, Readable, Readable>

class RunningProgram {
  readonly #order: ProgramOrder
  readonly #child: Child
  readonly #end: Promise<void>
  readonly #feed: Promise<void>
  #complaint = ''
  #feedError: unknown

  constructor(order: ProgramOrder) {
    this.#order = order
    const sessionName = takeSessionName()
    this.#child = spawn(order.path, [...order.args], {
      env: { PGAPPNAME: sessionName, ...order.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child.once('close', () => giveBackSessionName(sessionName))
    this.#child.once('error', () => giveBackSessionName(sessionName))
    this.#child.stderr.on('data', (chunk: Buffer) => {
      order.onSaid?.(chunk.toString())
      this.#complaint = (this.#complaint + chunk.toString()).slice(-COMPLAINT_BYTES)
    })
    this.#end = this.#settle()
    this.#end.catch(() => {})
    this.#feed = this.#sendInput()
  }

  async *output(): AsyncGenerator<Uint8Array, void> {
    let isOver = false
    try {
      for await (const chunk of this.#child.stdout) yield chunk as Uint8Array
      isOver = true
    } finally {
      if (!isOver) await this.stop()
    }
    await this.finish()
  }

  /** Resolves when it ended well and all input was taken from its source. */
  async finish(): Promise<void> {
    this.#child.stdout.resume()
    await this.#feed
    const failure = await this.#end.then(
      () => undefined,
      (error: unknown) => error,
    )
    this.#order.signal?.throwIfAborted()
    // What went wrong with the input is the cause of what the program says about it.
    if (this.#feedError !== undefined) throw this.#feedError
    if (failure !== undefined) throw failure
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), KILL_AFTER_MS)
    this.#child.stdout.resume()
    await this.#end.catch(() => {})
    clearTimeout(timer)
  }

  #settle(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = () => this.#child.kill('SIGTERM')
    this.#order.signal?.addEventListener('abort', onAbort, { once: true })
    if (this.#order.signal?.aborted === true) onAbort()
    this.#child.once('error', (error) => reject(this.#failed(error.message)))
    this.#child.once('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(this.#failed(signal === null ? `exit code ${code}` : `ended by ${signal}`))
    })
    return promise.finally(() => this.#order.signal?.removeEventListener('abort', onAbort))
  }

  #failed(how: string): BackstopError {
    const { tool, environment, explain } = this.#order
    const known = explain?.(this.#complaint)
    if (known !== undefined) return known
    const said = describeComplaint(this.#complaint, [environment['PGPASSWORD'] ?? ''])
    return new BackstopError('NATIVE_TOOL_FAILED', `${tool} failed (${how})${said === '' ? '' : `: ${said}`}`)
  }

  /** All of the source is consumed, also when the program wants no more of it: whoever hashes it sees everything. */
  async #sendInput(): Promise<void> {
    const { stdin } = this.#child
    let isOpen = true
    stdin.on('error', () => {
      isOpen = false
    })
    try {
      for await (const chunk of this.#order.input ?? []) {
        if (isOpen && !stdin.write(chunk)) await drained(stdin)
      }
      stdin.end()
    } catch (error) {
      this.#feedError = error
      // Never the end of the input: the program would take half of it for the whole.
      this.#child.kill('SIGKILL')
    }
  }
}

function drained(stream: Writable): Promise<void> {
  if (stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const events = ['drain', 'close', 'error'] as const
    const done = () => {
      for (const event of events) stream.off(event, done)
      resolve()
    }
    for (const event of events) stream.once(event, done)
  })
}

/** Start when the first chunk is asked for; leaving early ends the program. Throws NATIVE_TOOL_FAILED. */
export async function* streamProgram(order: ProgramOrder): AsyncGenerator<Uint8Array, void> {
  order.signal?.throwIfAborted()
  yield* new RunningProgram(order).output()
}

/** Its output as text, for short ones. Throws NATIVE_TOOL_FAILED. */
export async function readProgram(order: ProgramOrder): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of streamProgram(order)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Run for its effect. Throws NATIVE_TOOL_FAILED. */
export async function runProgram(order: ProgramOrder): Promise<void> {
  order.signal?.throwIfAborted()
  await new RunningProgram(order).finish()
}
