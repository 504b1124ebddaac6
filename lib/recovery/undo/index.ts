export type { UndoLimits, UndoOptions } from './model.ts'
export type { OpenUndoImages } from './open.ts'
export { openUndoImages } from './open.ts'
export type { UndoSweep } from './sweep.ts'
