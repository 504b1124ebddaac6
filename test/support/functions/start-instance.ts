/** Instances of functions as processes, which is what the platform ends when their time is over. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { InvocationResult } from './instance.ts'

export interface Instance {
  /** Rejects with what the handler threw, or when the process ends before it answers. */
  invoke(event: unknown, timeoutMs?: number): Promise<unknown>
  /** As at the end of a function's time: nothing of it runs any more. */
  kill(): Promise<void>
}

let invocations = 0

function answerOf(child: ChildProcess, id: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onMessage = (result: InvocationResult) => {
      if (result.id !== id) return
      stop()
      if ('error' in result) reject(new Error(result.error))
      else resolve(result.answer)
    }
    const onExit = () => {
      stop()
      reject(new Error('the instance ended before it answered'))
    }
    const stop = () => {
      child.off('message', onMessage)
      child.off('exit', onExit)
    }
    child.on('message', onMessage)
    child.once('exit', onExit)
  })
}

/** `name` is `gate/run` or the like. */
export async function startInstance(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Instance> {
  const child = fork(new URL('instance.ts', import.meta.url), name.split('/'), {
    env: environment as NodeJS.ProcessEnv,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  await once(child, 'message')
  return {
    invoke(event, timeoutMs = 29_000) {
      const id = ++invocations
      const answer = answerOf(child, id)
      child.send({ id, event, timeoutMs })
      return answer
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
