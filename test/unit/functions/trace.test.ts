/** What X-Ray gets of a sampled invocation, and that others load nothing for it. */
import { createSocket } from 'node:dgram'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { functionChain } from '#functions/shared/chain/function-chain.ts'
import { noteFacts } from '#functions/shared/chain/log-invocation.ts'
import { lambdaContext } from '#test/support/functions/event.ts'

interface Subsegment {
  readonly name: string
  readonly annotations?: Record<string, unknown>
  readonly error?: boolean
}

/** A daemon of our own, and what it is sent. The client asks for its address once in a process. */
const daemon = createSocket('udp4')
const documents: Subsegment[] = []
daemon.on('message', (message) => {
  documents.push(JSON.parse(message.toString().slice(message.indexOf('\n') + 1)))
})

const NAMES = ['_X_AMZN_TRACE_ID', 'AWS_XRAY_DAEMON_ADDRESS', 'LAMBDA_TASK_ROOT', 'AWS_EXECUTION_ENV', '_HANDLER']
beforeAll(async () => {
  await new Promise<void>((resolve) => daemon.bind(0, '127.0.0.1', resolve))
  process.env['AWS_XRAY_DAEMON_ADDRESS'] = `127.0.0.1:${daemon.address().port}`
  process.env['LAMBDA_TASK_ROOT'] = '/var/task'
  process.env['AWS_EXECUTION_ENV'] = 'AWS_Lambda_nodejs24.x'
  process.env['_HANDLER'] = 'index.handler'
})
afterEach(() => {
  documents.length = 0
})
afterAll(() => {
  for (const name of NAMES) delete process.env[name]
  daemon.close()
})

const handler = functionChain('gate.query').handler(async (event: unknown, context: object) => {
  noteFacts(context, { correlationId: 'req_1', principal: 'agent' })
  if (event === 'fail') throw new Error('the password is hunter2')
  return 'done'
})

function traced(isSampled: boolean): void {
  const root = 'Root=1-5e1b4151-5ac6c58f5daaa8e5b0b5b1f1;Parent=53995c3f42cd8ad8'
  process.env['_X_AMZN_TRACE_ID'] = `${root};Sampled=${isSampled ? 1 : 0}`
}

it('gets a subsegment with what ties it to the log, and of an error that there was one', async () => {
  traced(true)
  expect(await handler(undefined, lambdaContext())).toBe('done')
  await expect(handler('fail', lambdaContext())).rejects.toThrow('hunter2')
  await expect.poll(() => documents.length).toBe(2)
  const [good, bad] = documents
  expect(good).toMatchObject({ name: '## gate.query', annotations: { correlationId: 'req_1', principal: 'agent' } })
  expect(good?.error).toBeUndefined()
  expect(bad).toMatchObject({ name: '## gate.query', error: true })
  expect(JSON.stringify(bad)).not.toContain('hunter2')
})

it('gets nothing of an invocation that is not sampled', async () => {
  traced(false)
  expect(await handler(undefined, lambdaContext())).toBe('done')
  // What comes after it is sampled: it arrives, and nothing arrived before it.
  traced(true)
  await expect(handler('fail', lambdaContext())).rejects.toThrow('hunter2')
  await expect.poll(() => documents.length).toBeGreaterThan(0)
  expect(documents).toMatchObject([{ error: true }])
})
