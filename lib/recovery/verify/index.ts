export type { CorruptPoint, VerifyReport, VerifyRequest } from './model.ts'
export { decideCheck } from './plan.ts'
export type { VerifyPorts } from './run.ts'
export { runVerify } from './run.ts'
