export type { CorruptPoint, VerifyPointsReport, VerifyPointsRequest } from './model.ts'
export { decideCheck } from './plan.ts'
export type { VerifyPorts } from './run.ts'
export { runVerify } from './run.ts'
