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
