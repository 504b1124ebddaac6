export type {
  AuditEvent,
  AuditIntent,
  AuditLedger,
  AuditOutcome,
  AuditResult,
} from './model.ts'
