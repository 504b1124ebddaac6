/** Show what reversing a write would do, and reverse it. */
import type { UndoDesk, Undone } from '#lib/gate/index.ts'
import { type AuditId, BackstopError } from '#lib/kernel/index.ts'
import { jsonAnswer } from '../answer/index.ts'
import type { CallContext } from '../context.ts'
import { undoView } from '../view/index.ts'
import type { Handler } from './model.ts'

const AUDIT_ID = /^aud_[0-9a-f]{32}$/

function deskOf({ services }: CallContext): UndoDesk {
  if (services.undo !== undefined) return services.undo
  throw new BackstopError('NOT_READY', 'this gateway keeps no pre-images')
}

function wishOf(context: CallContext, id: string, conflictPolicy: 'fail' | 'skip') {
  if (!AUDIT_ID.test(id)) throw new BackstopError('UNDO_MISSING', 'no write has this audit id')
  const { principal, correlationId } = context
  return { auditId: id as AuditId, principal: principal.name, conflictPolicy, correlationId }
}

function answer({ report, auditId }: Undone) {
  return jsonAnswer(200, undoView(report, auditId))
}

export const lookAtUndo: Handler<'lookAtUndo'> = async (context, { params, query }) =>
  answer(await deskOf(context).look(wishOf(context, params.id, query.conflict_policy)))

export const runUndo: Handler<'runUndo'> = async (context, { params, body }) =>
  answer(await deskOf(context).run(wishOf(context, params.id, body.conflict_policy)))
