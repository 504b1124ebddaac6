/** Every route's handler; the types hold the two tables together. */
import type { RouteName } from '../route/index.ts'
import * as admin from './admin.ts'
import * as approvals from './approvals.ts'
import * as metadata from './metadata.ts'
import type { Handler } from './model.ts'
import * as open from './open.ts'
import * as undo from './undo.ts'

export const HANDLERS: { readonly [N in RouteName]: Handler<N> } = {
  ...open,
  ...approvals,
  ...metadata,
  ...admin,
  ...undo,
}
