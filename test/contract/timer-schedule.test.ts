import { createTimerSchedule } from '#lib/adapters/embedded/index.ts'
import { scheduleContract } from './schedule.ts'

scheduleContract('timers', (failures) =>
  createTimerSchedule({ onFailure: (name, error) => failures.push(`${name}: ${(error as Error).message}`) }),
)
