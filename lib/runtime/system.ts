import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'

/** The real time and real randomness. */
export const SYSTEM = { clock: systemClock, random: systemRandom } as const
