/** One instance of a function, as a process of its own that can be killed. Started by `startInstance`. */
import process from 'node:process'
import { lambdaContext } from './event.ts'

export interface Invocation {
  readonly id: number
  readonly event: unknown
  readonly timeoutMs: number
}

export type InvocationResult = { readonly id: number } & ({ readonly answer: unknown } | { readonly error: string })

const [, , part, verb] = process.argv
const { handler } = (await import(`../../../functions/${part}/${verb}/handler.ts`)) as {
  handler: (event: unknown, context: unknown) => Promise<unknown>
}

async function invoke({ id, event, timeoutMs }: Invocation): Promise<InvocationResult> {
  try {
    return { id, answer: (await handler(event, lambdaContext(timeoutMs))) ?? null }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

process.on('message', (invocation: Invocation) => {
  void invoke(invocation).then((result) => process.send?.(result))
})
process.send?.('ready')
