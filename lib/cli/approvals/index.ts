export { approvalsApprove, approvalsDeny, approvalsShow } from './decide.ts'
export { approvalsList } from './list.ts'
