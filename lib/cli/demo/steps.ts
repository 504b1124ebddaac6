/** The demonstration in its order. */
import type { DemoStep } from './model.ts'
import { approveStep } from './step-approve.ts'
import { auditStep } from './step-audit.ts'
import { beginStep } from './step-begin.ts'
import { cascadeStep } from './step-cascade.ts'
import { copybackStep } from './step-copyback.ts'
import { dropApprovedStep } from './step-drop-approved.ts'
import { dropDatabaseStep } from './step-drop-database.ts'
import { dropTableStep } from './step-drop-table.ts'
import { hiddenDeleteStep } from './step-hidden-delete.ts'
import { readStep } from './step-read.ts'
import { recoverStep } from './step-recover.ts'

export const STEPS: readonly DemoStep[] = [
  beginStep,
  readStep,
  hiddenDeleteStep,
  cascadeStep,
  dropDatabaseStep,
  dropTableStep,
  approveStep,
  dropApprovedStep,
  recoverStep,
  copybackStep,
  auditStep,
]
