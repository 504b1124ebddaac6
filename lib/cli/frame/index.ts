export type { OutputChoice } from './context.ts'
export { openContext, showResult, surfaceOf } from './context.ts'
export type { Argument, Command, CommandInput, Example, GivenFlags } from './define.ts'
export { defineCommand } from './define.ts'
export type { CommandEntry } from './entry.ts'
export { entry, loadCommands } from './entry.ts'
export type { Failure } from './failure.ts'
export { describeFailure, EXIT_INTERRUPTED, EXIT_USAGE, encodeFailure, renderFailure } from './failure.ts'
export type { Flag, Flags, FlagValues } from './flag.ts'
export { choice, integer, list, optionalChoice, repeated, requiredText, text, toggle } from './flag.ts'
export {
  DATABASE_FLAG,
  existingMetadata,
  existingStorage,
  METADATA_FLAG,
  placesIn,
  STORAGE_FLAG,
} from './location.ts'
export type { CliIo, CommandContext, CommandResult } from './model.ts'
export type { Invocation } from './program.ts'
export { buildProgram } from './program.ts'
export { findSetting, getSetting, readTable, rowLimit, workerCount } from './setting.ts'
export { readVersion } from './version.ts'
