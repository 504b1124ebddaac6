export type { CliIo } from './frame/index.ts'
export { runCli } from './run.ts'
export type { CliStream } from './terminal/index.ts'
