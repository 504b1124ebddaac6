/** Keep alerts in the record store and hand them to the notifier. */
import { epochMsOf, ID_BYTES, instantFrom, newId, SECOND_MS } from '#lib/kernel/index.ts'
import type { Alert, AlertDelivery, Clock, Notifier, Random, RecordStore } from '#lib/ports/index.ts'
import type { AlertDesk, AlertInput, AlertStatus, Raising, StandingInput } from './model.ts'
import { findEarlier, forgetEarlier } from './repeats.ts'
import { AlertShelf } from './shelf.ts'
import { type Standing, StandingBook } from './standing.ts'

export interface AlertDeskOptions {
  readonly records: RecordStore
  readonly notifier: Notifier
  readonly clock: Clock
  readonly random: Random
  readonly environment: string
  readonly retentionDays?: number // default 90
  /** For each alert and each delivery, with its status. */
  onRaised?(eventType: string, status: AlertStatus | 'repeated'): void
}

const RETENTION_DAYS = 90

class Desk implements AlertDesk {
  readonly #options: AlertDeskOptions
  readonly #shelf: AlertShelf
  readonly #book: StandingBook

  constructor(options: AlertDeskOptions) {
    this.#options = options
    this.#shelf = new AlertShelf(options.records, options.retentionDays ?? RETENTION_DAYS)
    this.#book = new StandingBook(options.records)
  }

  async raise(input: AlertInput): Promise<Raising> {
    const alert = this.#build(input)
    const { dedupeKey } = alert
    const nowMs = this.#options.clock.nowMs()
    // Where nothing can be kept, telling twice is better than telling nobody.
    const earlier =
      dedupeKey === undefined
        ? undefined
        : await findEarlier(this.#options.records, dedupeKey, alert.id, nowMs).catch(() => undefined)
    if (earlier !== undefined) {
      this.#options.onRaised?.(alert.eventType, 'repeated')
      return { alertId: earlier, status: 'repeated' }
    }
    const status = await this.#tell(alert)
    if (status === 'failed' && dedupeKey !== undefined) {
      await forgetEarlier(this.#options.records, dedupeKey).catch(() => {})
    }
    return { alertId: alert.id, status }
  }

  async begin(family: string, input: StandingInput): Promise<void> {
    const { dedupeKey: incidentKey, ...told } = input
    const alert = { ...this.#build(told), incidentKey }
    if (!(await this.#book.open(family, { input, alertId: alert.id, since: alert.at }))) return
    // Nobody knows of it: the next look begins it anew.
    if ((await this.#tell(alert)) === 'failed') await this.#book.close(family, incidentKey)
  }

  async end(family: string, dedupeKey: string): Promise<void> {
    const closed = await this.#book.close(family, dedupeKey)
    if (closed !== undefined) await this.#tell(this.#overOf(closed))
  }

  async settle(family: string, standing: readonly StandingInput[]): Promise<void> {
    const keys = new Set(standing.map(({ dedupeKey }) => dedupeKey))
    const known = await this.#book.list(family)
    const open = new Set(known.map(({ input }) => input.dedupeKey))
    for (const one of standing) if (!open.has(one.dedupeKey)) await this.begin(family, one)
    for (const { input } of known) if (!keys.has(input.dedupeKey)) await this.end(family, input.dedupeKey)
  }

  async listStanding(family: string): Promise<readonly StandingInput[]> {
    return (await this.#book.list(family)).map(({ input }) => input)
  }

  list(filter: { readonly limit: number; readonly cursor?: string }) {
    return this.#shelf.list(filter)
  }

  async noteDelivery(delivery: AlertDelivery): Promise<void> {
    this.#options.onRaised?.(delivery.alert.eventType, delivery.status)
    await this.#shelf.noteDelivery(delivery, this.#options.clock.nowMs())
  }

  #build(input: AlertInput): Alert {
    const { random, environment, clock } = this.#options
    return { ...input, id: newId('alrt', random.bytes(ID_BYTES)), environment, at: instantFrom(clock.nowMs()) }
  }

  #overOf({ input, alertId, since }: Standing): Alert {
    const { severity: _severity, dedupeKey, title, ...same } = input
    const lastedSeconds = Math.round((this.#options.clock.nowMs() - epochMsOf(since)) / SECOND_MS)
    const over = {
      ...same,
      severity: 'info',
      title: `Over: ${title}`,
      recommendedAction: 'Nothing to do.',
      facts: { ...input.facts, resolves: alertId, since, lastedSeconds },
    } as const
    return { ...this.#build(over), incidentKey: dedupeKey, state: 'resolved' }
  }

  /** Kept before it is handed on, so that what becomes of its delivery finds its record. */
  async #tell(alert: Alert): Promise<'recorded' | 'failed'> {
    const { notifier, clock, onRaised } = this.#options
    await this.#shelf.keep(alert, clock.nowMs()).catch(() => {})
    const status = await notifier.notify(alert).then(
      () => 'recorded' as const,
      () => 'failed' as const,
    )
    if (status === 'failed') await this.#shelf.noteRefusal(alert).catch(() => {})
    onRaised?.(alert.eventType, status)
    return status
  }
}

export function openAlertDesk(options: AlertDeskOptions): AlertDesk {
  return new Desk(options)
}
