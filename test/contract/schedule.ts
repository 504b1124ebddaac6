/**
 * What every schedule promises. When the platform keeps the time (EventBridge), starting and stopping are its business: a rule
 * is there or not, and a run in hand is its function's. What is left to us there is `scheduledRunCases`.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Schedule } from '#lib/ports/index.ts'
import { eventually } from '#test/support/eventually.ts'

interface Subject {
  readonly open: (failures: string[]) => Schedule
  readonly schedule: () => Schedule
  readonly failures: () => readonly string[]
}

export function scheduleContract(name: string, open: (failures: string[]) => Schedule): void {
  describeSchedule(name, open, (subject) => {
    scheduledRunCases(subject)
    ownTimeCases(subject)
  })
}

/** For a schedule whose time the platform keeps. */
export function scheduledRunContract(name: string, open: (failures: string[]) => Schedule): void {
  describeSchedule(name, open, scheduledRunCases)
}

function describeSchedule(
  name: string,
  open: (failures: string[]) => Schedule,
  cases: (subject: Subject) => void,
): void {
  describe(`schedule: ${name}`, () => {
    let schedule: Schedule
    let failures: string[]
    beforeEach(() => {
      failures = []
      schedule = open(failures)
    })
    afterEach(() => schedule.stop())
    cases({ open, schedule: () => schedule, failures: () => failures })
  })
}

function addCounter(schedule: Schedule, name: string, everyMs: number, immediately = false) {
  const runs = { count: 0 }
  const run = async () => {
    runs.count++
  }
  schedule.add({ name, everyMs, immediately, run })
  return runs
}

function scheduledRunCases({ open, schedule: current, failures }: Subject): void {
  it('runs a task again and again once it is started, and not before', async () => {
    const schedule = current()
    const runs = addCounter(schedule, 'often', 2)
    const other = open([])
    let otherRuns = 0
    other.add({
      name: 'reference',
      everyMs: 2,
      run: async () => {
        otherRuns++
      },
    })
    other.start()
    await eventually(() => otherRuns >= 3)
    await other.stop()
    expect(runs.count).toBe(0)
    schedule.start()
    schedule.start()
    await eventually(() => runs.count >= 5)
  })

  it('never runs a task beside itself', async () => {
    const schedule = current()
    let inHand = 0
    let most = 0
    let runs = 0
    schedule.add({
      name: 'slow',
      everyMs: 1,
      run: async () => {
        most = Math.max(most, ++inHand)
        await new Promise((resolve) => setTimeout(resolve, 8))
        inHand--
        runs++
      },
    })
    schedule.start()
    await eventually(() => runs >= 4)
    expect(most).toBe(1)
  })

  it('reports a failed run by its task, and goes on with it and the others', async () => {
    const schedule = current()
    let attempts = 0
    schedule.add({
      name: 'broken',
      everyMs: 2,
      run: async () => {
        attempts++
        throw new Error('no')
      },
    })
    const other = addCounter(schedule, 'other', 2)
    schedule.start()
    await eventually(() => attempts >= 3 && other.count >= 3)
    expect(failures().length).toBeGreaterThanOrEqual(2)
    expect(new Set(failures())).toEqual(new Set(['broken: no']))
  })
}

function ownTimeCases({ schedule: current }: Subject): void {
  it('runs a task at the start only when asked', async () => {
    const schedule = current()
    const [now, later] = [addCounter(schedule, 'now', 3_600_000, true), addCounter(schedule, 'later', 3_600_000)]
    schedule.start()
    await eventually(() => now.count === 1)
    expect(later.count).toBe(0)
  })

  it('takes a task after the start', async () => {
    const schedule = current()
    schedule.start()
    const runs = addCounter(schedule, 'added', 3_600_000, true)
    await eventually(() => runs.count === 1)
  })

  it('waits for a run in hand when it stops, and starts no other', async () => {
    const schedule = current()
    let begun = 0
    let ended = 0
    schedule.add({
      name: 'slow',
      everyMs: 1,
      immediately: true,
      run: async () => {
        begun++
        await new Promise((resolve) => setTimeout(resolve, 20))
        ended++
      },
    })
    schedule.start()
    await eventually(() => begun === 1)
    await schedule.stop()
    expect([begun, ended]).toEqual([1, 1])
  })
}
