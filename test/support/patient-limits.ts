/** Settings of a product under test: its own limits for a look and for a lock are seconds, and a busy machine may stand still for longer. */
export const PATIENT_LIMITS = { BACKSTOP_ASSESS_TIMEOUT_MS: '30000', BACKSTOP_LOCK_TIMEOUT_MS: '30000' } as const
