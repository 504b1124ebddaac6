export type { AlertDeskOptions } from './desk.ts'
export { openAlertDesk } from './desk.ts'
export type {
  AlertDesk,
  AlertInput,
  AlertPage,
  AlertStatus,
  RaisedAlert,
  Raising,
  StandingInput,
  TargetDelivery,
} from './model.ts'
