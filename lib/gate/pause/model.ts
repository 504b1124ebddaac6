/** The emergency stop: one record that every instance honours within a second. */
import type { Instant } from '#lib/kernel/index.ts'

export interface PauseState {
  readonly paused: boolean
  readonly reason: string
  readonly changedBy: string
  readonly changedAt: Instant
  /** False: SAFE statements still run. */
  readonly blocksSafe: boolean
}

export interface PauseSwitch {
  /** At most a second old. Throws METADATA_UNREACHABLE when the state cannot be known: then nothing runs. */
  current(): Promise<PauseState>
  /** Straight from the store, right before an effect. */
  read(): Promise<PauseState>
  pause(by: string, reason: string, blocksSafe: boolean): Promise<PauseState>
  resume(by: string, reason: string): Promise<PauseState>
}
