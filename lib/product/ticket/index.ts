export type { CollectPorts } from './collect.ts'
export { openCollectingGate } from './collect.ts'
export type { RunPorts, RunReport } from './run.ts'
export { decodeTicketKey, runTicket } from './run.ts'
