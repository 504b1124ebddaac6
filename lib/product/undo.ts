/** Pre-images of writes, and the desk that reverses them. */
import { openUndoDesk, type UndoDesk, type UndoKeeper } from '#lib/gate/index.ts'
import { type OpenUndoImages, openUndoImages } from '#lib/recovery/index.ts'
import type { Foundation, Parts, Stores } from './model.ts'

export function openUndo(
  { settings, records, clock }: Pick<Foundation, 'settings' | 'records' | 'clock'>,
  { database, objects }: Pick<Stores, 'database' | 'objects'>,
): OpenUndoImages {
  const { undoMaxRows, undoRetentionDays } = settings
  const limits = { maxRows: undoMaxRows, retentionDays: undoRetentionDays }
  return openUndoImages({ database, objects, records, clock, limits })
}

/** What the gate keeps with; empty where the settings say that nothing is kept. */
export function undoKeeper(
  { settings }: Pick<Foundation, 'settings'>,
  images: OpenUndoImages,
): { readonly undo?: UndoKeeper } {
  return settings.undo === 'off' ? {} : { undo: { ...images, writes: settings.undo } }
}

export function undoDeskOf(parts: Pick<Parts, 'undo' | 'ledger' | 'pause' | 'alerts'>): UndoDesk {
  return openUndoDesk({ ...parts, images: parts.undo })
}

/** Remove pre-images that are past their time or whose write was never committed; returns how many. */
export async function sweepUndo({ undo, log }: Pick<Parts, 'undo' | 'log'>): Promise<number> {
  const { looked, dropped } = await undo.sweep()
  if (dropped > 0) log('info', 'undo_swept', { looked, dropped })
  return dropped
}
