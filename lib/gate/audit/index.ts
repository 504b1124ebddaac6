export type { ExportOptions, ExportPorts } from './export.ts'
export { exportLedger } from './export.ts'
export type { AuditLedgerOptions } from './ledger.ts'
export { DEFAULT_RETENTION_DAYS, openAuditLedger } from './ledger.ts'
export type {
  AnchorHead,
  AuditEntry,
  AuditEvent,
  AuditFilter,
  AuditIntent,
  AuditLedger,
  AuditOutcome,
  AuditPage,
  AuditResult,
  LedgerHead,
  OpenAuditLedger,
  SealReport,
} from './model.ts'
export { MAX_AUDIT_QUERY_BYTES, scrubQuery } from './scrub-query.ts'
export type { VerifyPorts } from './verify.ts'
export { verifyLedger } from './verify.ts'
export type { LedgerAnchor, LedgerProblem, LedgerProblemCode, VerifyReport } from './verify-report.ts'
export { formatAnchor, parseAnchor } from './verify-report.ts'
