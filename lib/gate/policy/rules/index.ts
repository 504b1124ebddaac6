/** The rules of a decision, in the order in which they are asked. */
import type { PolicyRule } from '../model.ts'
import { blockOperations } from './block-operations.ts'
import { levelAction } from './level-action.ts'
import { neverRun } from './never-run.ts'
import { protectedObject } from './protected-object.ts'
import { recoveryRequired } from './recovery-required.ts'
import { unknownImpact } from './unknown-impact.ts'
import { unknownStatement } from './unknown-statement.ts'
import { unrecoverable } from './unrecoverable.ts'
import { writeImpact } from './write-impact.ts'

export const RULES: readonly PolicyRule[] = [
  neverRun,
  blockOperations,
  unknownStatement,
  unrecoverable,
  recoveryRequired,
  protectedObject,
  writeImpact,
  unknownImpact,
  levelAction,
]
