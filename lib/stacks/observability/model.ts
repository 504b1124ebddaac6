/** An alarm as a row: what it watches, when it rings, and what the person who is woken should do. */
import type { ApiMade } from '../constructs/api-functions.ts'

export interface AlarmRow {
  readonly name: string
  /** What it means and what to do next: the text of the notification. */
  readonly text: string
  readonly metric: {
    readonly namespace: string
    readonly name: string
    readonly dimensions: Readonly<Record<string, string>>
    readonly statistic: 'Sum' | 'Maximum'
  }
  readonly periodS: number
  /** Consecutive periods that must breach. */
  readonly periods: number
  readonly rings: { readonly when: 'above' | 'below'; readonly threshold: number }
  /** True: silence rings too. */
  readonly isSilenceBad: boolean
}

/** What the alarms need to know of the other stacks. */
export interface Watched {
  readonly environment: string
  readonly tableName: string
  /** `gate.query` → its physical name. */
  readonly functions: readonly { readonly name: string; readonly physicalName: string }[]
  readonly deadQueues: readonly { readonly name: string; readonly queueName: string }[]
  readonly workQueues: readonly { readonly name: string; readonly queueName: string }[]
  readonly api: ApiMade['metrics']
}
