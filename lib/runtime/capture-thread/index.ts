export type { CaptureThreadOptions } from './open.ts'
export { openCaptureThread } from './open.ts'
