export { TASK_BUNDLE, taskQueuePlace } from './places.ts'
export type { TaskStackProps } from './stack.ts'
export { TaskStack } from './stack.ts'
export { START_SCRIPT } from './start.ts'
