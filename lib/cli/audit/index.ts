export { auditExport } from './export.ts'
export { auditVerify } from './verify.ts'
