/** What anybody may read, and the door of the agents. */
import { instantFrom } from '#lib/kernel/index.ts'
import { jsonAnswer, textAnswer } from '../answer/index.ts'
import { runMcp } from '../mcp/index.ts'
import { openApiText } from '../openapi/index.ts'
import { runRpc } from '../rpc/index.ts'
import type { Handler } from './model.ts'

export const readHealth: Handler<'readHealth'> = async ({ services, settings }) =>
  jsonAnswer(200, {
    status: 'ok',
    service: 'backstop-gateway',
    version: settings.version,
    time: instantFrom(services.clock.nowMs()),
  })

export const readOpenApi: Handler<'readOpenApi'> = async ({ settings }) =>
  textAnswer(openApiText(settings.version), 'application/json; charset=utf-8')

export const callRpc: Handler<'callRpc'> = (context, { body }) => runRpc(context, body)

export const callMcp: Handler<'callMcp'> = (context, { body }) => runMcp(context, body)
