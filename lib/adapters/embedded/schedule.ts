/** Recurring work on timers. */
import type { Schedule, ScheduledTask } from '#lib/ports/index.ts'

export interface TimerScheduleOptions {
  readonly onFailure: (taskName: string, error: unknown) => void
}

export function createTimerSchedule(options: TimerScheduleOptions): Schedule {
  return new TimerSchedule(options)
}

interface Entry {
  readonly task: ScheduledTask
  timer?: NodeJS.Timeout
  run?: Promise<void>
}

class TimerSchedule implements Schedule {
  readonly #options: TimerScheduleOptions
  readonly #entries: Entry[] = []
  #isRunning = false

  constructor(options: TimerScheduleOptions) {
    this.#options = options
  }

  add(task: ScheduledTask): void {
    const entry: Entry = { task }
    this.#entries.push(entry)
    if (this.#isRunning) this.#plan(entry, task.immediately ? 0 : task.everyMs)
  }

  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    for (const entry of this.#entries) this.#plan(entry, entry.task.immediately ? 0 : entry.task.everyMs)
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    for (const entry of this.#entries) clearTimeout(entry.timer)
    await Promise.all(this.#entries.map((entry) => entry.run))
  }

  #plan(entry: Entry, delayMs: number): void {
    entry.timer = setTimeout(() => {
      entry.run = this.#run(entry)
    }, delayMs)
  }

  /** The next run is timed from the start of this one; one that took longer than the interval is followed at once. */
  async #run(entry: Entry): Promise<void> {
    const startedMs = performance.now()
    try {
      await entry.task.run()
    } catch (error) {
      this.#options.onFailure(entry.task.name, error)
    }
    const elapsedMs = performance.now() - startedMs
    if (this.#isRunning) this.#plan(entry, Math.max(0, entry.task.everyMs - elapsedMs))
  }
}
