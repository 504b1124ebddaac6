export { openApprovalDesk } from './desk.ts'
export type {
  Approval,
  ApprovalBinding,
  ApprovalDecision,
  ApprovalDesk,
  ApprovalPage,
  ApprovalRequest,
  ApprovalState,
  Claim,
  ClaimRefusal,
} from './model.ts'
export type { ApprovalDeskOptions, ApprovalLimits } from './options.ts'
