export { createDashboard } from './dashboard.ts'
export type { AlarmRow, Watched } from './model.ts'
export { platformAlarms } from './platform-alarms.ts'
export { productAlarms } from './product-alarms.ts'
