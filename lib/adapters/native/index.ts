export { localFiles } from './local-files.ts'
export type { NativeToolsOptions } from './tools.ts'
export { createNativeTools } from './tools.ts'
