/** What X-Ray gets of a sampled invocation, and that others load nothing for it. */
import { createSocket } from 'node:dgram'
import { afterEach, expect, it } from 'vitest'
import { functionChain } from '#functions/shared/chain/function-chain.ts'
import { noteFacts } from '#functions/shared/chain/log-invocation.ts'
import { lambdaContext } from '#test/support/functions/event.ts'

const NAMES = ['_X_AMZN_TRACE_ID', 'AWS_XRAY_DAEMON_ADDRESS', 'LAMBDA_TASK_ROOT', 'AWS_EXECUTION_ENV', '_HANDLER']
afterEach(() => {
  for (const name of NAMES) delete process.env[name]
})

const handler = functionChain('gate.query').handler(async (event: unknown, context: object) => {
  noteFacts(context, { correlationId: 'req_1', principal: 'agent' })
  if (event === 'fail') throw new Error('the password is hunter2')
  return 'done'
})

/** A daemon of our own, and what it is sent. */
async function openDaemon() {
  const socket = createSocket('udp4')
  const documents: { name: string; annotations?: Record<string, unknown>; error?: boolean }[] = []
  socket.on('message', (message) => {
    documents.push(JSON.parse(message.toString().slice(message.indexOf('\n') + 1)))
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  process.env['AWS_XRAY_DAEMON_ADDRESS'] = `127.0.0.1:${socket.address().port}`
  process.env['LAMBDA_TASK_ROOT'] = '/var/task'
  process.env['AWS_EXECUTION_ENV'] = 'AWS_Lambda_nodejs24.x'
  process.env['_HANDLER'] = 'index.handler'
  return { documents, close: () => socket.close() }
}

it('gets a subsegment with what ties it to the log, and of an error that there was one', async () => {
  const daemon = await openDaemon()
  process.env['_X_AMZN_TRACE_ID'] = 'Root=1-5e1b4151-5ac6c58f5daaa8e5b0b5b1f1;Parent=53995c3f42cd8ad8;Sampled=1'
  expect(await handler(undefined, lambdaContext())).toBe('done')
  await expect(handler('fail', lambdaContext())).rejects.toThrow('hunter2')
  await expect.poll(() => daemon.documents.length, { timeout: 5_000 }).toBe(2)
  const [good, bad] = daemon.documents
  expect(good).toMatchObject({ name: '## gate.query', annotations: { correlationId: 'req_1', principal: 'agent' } })
  expect(good?.error).toBeUndefined()
  expect(bad).toMatchObject({ name: '## gate.query', error: true })
  expect(JSON.stringify(bad)).not.toContain('hunter2')
  daemon.close()
})

it('gets nothing of an invocation that is not sampled', async () => {
  const daemon = await openDaemon()
  process.env['_X_AMZN_TRACE_ID'] = 'Root=1-5e1b4151-5ac6c58f5daaa8e5b0b5b1f1;Parent=53995c3f42cd8ad8;Sampled=0'
  expect(await handler(undefined, lambdaContext())).toBe('done')
  await new Promise((resolve) => setImmediate(resolve))
  expect(daemon.documents).toEqual([])
  daemon.close()
})
