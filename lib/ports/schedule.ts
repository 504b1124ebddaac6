export interface ScheduledTask {
  readonly name: string
  readonly everyMs: number
  /** True: also once at the start. */
  readonly immediately?: boolean
  run(): Promise<void>
}

/** Recurring work. A task never overlaps itself; a failed run is reported and does not end the schedule. */
export interface Schedule {
  add(task: ScheduledTask): void
  start(): void
  /** Waits for runs in hand. */
  stop(): Promise<void>
}
