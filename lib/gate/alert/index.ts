export type { AlertDeskOptions } from './desk.ts'
export { openAlertDesk } from './desk.ts'
export type { AlertDesk, AlertInput, AlertPage, RaisedAlert } from './model.ts'
