export type {
  PauseState,
  PauseSwitch,
} from './model.ts'
export type { PauseSwitchOptions } from './switch.ts'
export { openPauseSwitch } from './switch.ts'
