export { openUndoDesk } from './desk.ts'
export type { UndoDesk, UndoDeskParts, Undone, UndoWish } from './model.ts'
