/** The pause record's body, checked: a record that is not understood is no permission to run. */
import { z } from 'zod'
import type { Instant, JsonObject } from '#lib/kernel/index.ts'
import { instantFrom } from '#lib/kernel/index.ts'
import type { PauseState } from './model.ts'

/** Before anybody has ever paused. */
export const RUNNING: PauseState = {
  paused: false,
  reason: '',
  changedBy: '',
  changedAt: instantFrom(0),
  blocksSafe: false,
}

const bodySchema = z.strictObject({
  paused: z.boolean(),
  reason: z.string(),
  changedBy: z.string(),
  changedAt: z.iso.datetime().transform((text) => text as Instant),
  blocksSafe: z.boolean(),
})

/** Throws a ZodError for a body that is not a pause state. */
export function decodePauseState(body: JsonObject): PauseState {
  return bodySchema.parse(body)
}
