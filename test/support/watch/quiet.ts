/** A running product whose background has done what it does at a start, and keeps still from then on. */
import { eventually } from '#test/support/eventually.ts'
import type { TestProduct } from '#test/support/product.ts'

/** What is to happen in a test is called by its name: the background's own next time is an hour away. */
export const QUIET = { BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: '86400', BACKSTOP_WATCH_INTERVAL_SECONDS: '3600' } as const

const LOOK_KEY = { partition: 'recovery-watch', sort: 'tables' } as const
/** Noted once when the tables are first known, and once when everything was told. */
const LOOK_NOTES = 2

/** The end of the first look at the tables, which a look that is called by its name would run beside. */
export async function untilFirstLook({ product }: TestProduct): Promise<void> {
  const isOver = async () => ((await product.parts.records.find(LOOK_KEY))?.version ?? 0) >= LOOK_NOTES
  await eventually(isOver, { timeoutMs: 180_000, what: 'the end of the first look at the tables' })
}

/** The end of the first round, which holds every table until then. */
export async function untilFirstRound({ product }: TestProduct, captured: number): Promise<void> {
  const isOver = async () =>
    (await product.parts.recovery.findHeartbeat())?.detail.startsWith(`${captured} captured`) === true
  await eventually(isOver, { timeoutMs: 180_000, what: 'the end of the first round' })
}
