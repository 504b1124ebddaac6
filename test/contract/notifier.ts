/** What every way of telling operators promises, up to the receiver. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Instant, JsonObject } from '#lib/kernel/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import type { Alert, Notifier } from '#lib/ports/index.ts'
import { eventually } from '#test/support/eventually.ts'

export interface OpenedNotifier {
  readonly notifier: Notifier
  /** One whose store or queue cannot be reached. */
  readonly broken: Notifier
  /** The documents that have come to the receiver so far; makes deliveries go on. */
  received(): Promise<readonly JsonObject[]>
  close(): Promise<void>
}

export const sampleAlert: Alert = {
  id: 'alrt_1',
  severity: 'critical',
  eventType: 'approval_requested',
  title: 'DROP TABLE waits for a decision – “now”',
  recommendedAction: 'Decide with "backstop approvals list"',
  environment: 'production',
  at: '2027-01-15T08:00:00.000Z' as Instant,
  facts: { approval_id: 'appr_1', rows: 12, tables: ['public.orders', 'public."Ünïcode 💾"'], nested: { held: true } },
}

export function notifierContract(name: string, open: () => Promise<OpenedNotifier>): void {
  describe(`notifier: ${name}`, () => {
    let opened: OpenedNotifier
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    const untilReceived = (count: number) =>
      eventually(
        async () => {
          const documents = await opened.received()
          return documents.length >= count ? documents : undefined
        },
        { timeoutMs: 60_000, what: `${count} alerts` },
      )

    it('brings the whole alert to the receiver, unchanged', async () => {
      await opened.notifier.notify(sampleAlert)
      expect(await untilReceived(1)).toEqual([
        {
          text: '[production] CRITICAL: DROP TABLE waits for a decision – “now”. Decide with "backstop approvals list"',
          id: 'alrt_1',
          severity: 'critical',
          event_type: 'approval_requested',
          title: 'DROP TABLE waits for a decision – “now”',
          recommended_action: 'Decide with "backstop approvals list"',
          environment: 'production',
          at: '2027-01-15T08:00:00.000Z',
          facts: {
            approval_id: 'appr_1',
            rows: 12,
            tables: ['public.orders', 'public."Ünïcode 💾"'],
            nested: { held: true },
          },
          state: 'raised',
          incident_key: null,
        },
      ])
    })

    it('brings each of several alerts once', async () => {
      const ids = Array.from({ length: 12 }, (_, n) => `alrt_${n}` as const)
      await Promise.all(ids.map((id) => opened.notifier.notify({ ...sampleAlert, id })))
      const documents = await untilReceived(12)
      expect(documents.map((document) => document['id']).sort()).toEqual([...ids].sort())
    })

    it('takes an alert that was raised twice, and alerts with one dedupe key, for one', async () => {
      await opened.notifier.notify(sampleAlert)
      await opened.notifier.notify(sampleAlert)
      for (const id of ['alrt_2', 'alrt_3'] as const) {
        await opened.notifier.notify({ ...sampleAlert, id, dedupeKey: 'held' })
      }
      await opened.notifier.notify({ ...sampleAlert, id: 'alrt_last' })
      const documents = await untilReceived(3)
      expect(documents.map((document) => document['id']).sort()).toEqual(['alrt_1', 'alrt_2', 'alrt_last'])
    })

    it('has kept the alert when it returns, although nobody took it yet', async () => {
      await opened.notifier.notify(sampleAlert)
      expect((await untilReceived(1))[0]?.['id']).toBe('alrt_1')
    })

    it('carries an alert of every severity and of almost no content', async () => {
      for (const severity of ['info', 'warning', 'critical'] as const) {
        await opened.notifier.notify({ ...sampleAlert, id: `alrt_${severity}`, severity, title: 'x', facts: {} })
      }
      const documents = await untilReceived(3)
      expect(documents.map((document) => document['severity']).sort()).toEqual(['critical', 'info', 'warning'])
    })

    it('says what to do when an alert cannot be kept, and shows nothing of it', async () => {
      const error = await opened.broken.notify(sampleAlert).catch((cause: unknown) => cause)
      if (!isBackstopError(error)) throw new Error('it was taken, or it failed with a foreign error', { cause: error })
      expect(error.kind).toBe('dependency')
      expect(error.hint.length).toBeGreaterThan(10)
      expect(JSON.stringify([error.message, error.details])).not.toMatch(/DROP TABLE|appr_1|Ünïcode/)
    })
  })
}
