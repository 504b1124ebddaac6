export type { LimitSettings, Limits, Permit } from './limits.ts'
export { createLimits, DEFAULT_LIMITS } from './limits.ts'
export type { SlotLimit } from './slots.ts'
export type { BucketLimit, Spending } from './token-bucket.ts'
