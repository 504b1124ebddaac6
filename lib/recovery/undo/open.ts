/** Opens the keeper of pre-images over its ports. */
import type { UndoImages } from '#lib/ports/index.ts'
import type { KeepPorts } from './keep.ts'
import { keep } from './keep.ts'
import { DEFAULT_UNDO_LIMITS, type UndoOptions } from './model.ts'
import { reverse } from './reverse.ts'
import { UndoShelf } from './shelf.ts'
import { sweepUndo, type UndoSweep } from './sweep.ts'
import { markTransaction } from './watch-changes.ts'

export interface OpenUndoImages extends UndoImages {
  /** Remove what is past its time and what was never committed. */
  sweep(): Promise<UndoSweep>
}

export function openUndoImages(options: UndoOptions): OpenUndoImages {
  const { database, objects, records, clock } = options
  const limits = { ...DEFAULT_UNDO_LIMITS, ...options.limits }
  const ports: KeepPorts = { database, objects, clock, limits, shelf: new UndoShelf(objects, records) }
  return {
    mark: (session) => markTransaction(session),
    keep: (session, keeping) => keep(ports, session, keeping),
    reverse: (request) => reverse(ports, request),
    sweep: () => sweepUndo(ports),
  }
}
