export type { Reason } from './reasons.ts'
export { REASONS } from './reasons.ts'
export type { Finding } from './review.ts'
export { reviewStage } from './review.ts'
