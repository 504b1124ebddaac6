export { MAX_COMMENT_LENGTH, openApprovalDesk } from './desk.ts'
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
export { DEFAULT_APPROVAL_LIMITS } from './options.ts'
