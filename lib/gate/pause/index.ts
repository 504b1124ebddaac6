export type {
  PauseState,
  PauseSwitch,
} from './model.ts'
