/** What every part of a function stands on: settings, records, notifier, figures, time, log. */
import type { Notifier, RecordStore } from '#lib/ports/index.ts'
import type { Foundation } from '#lib/product/index.ts'
import { readSettings } from './environment.ts'
import { log } from './log.ts'
import { figures } from './metrics.ts'
import { SYSTEM } from './port/aws.ts'

/** A frozen instance's clock stands still, so that no look at the pause is used twice. Throws CONFIG_INVALID. */
export function openFoundation(ports: { readonly records: RecordStore; readonly notifier: Notifier }): Foundation {
  return { ...ports, ...SYSTEM, settings: readSettings(), metrics: figures(), log, pauseCacheMs: 0 }
}
