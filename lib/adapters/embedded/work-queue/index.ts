export type { DurableWorkQueue, DurableWorkQueueOptions, WorkFailure } from './queue.ts'
export { createDurableWorkQueue } from './queue.ts'
