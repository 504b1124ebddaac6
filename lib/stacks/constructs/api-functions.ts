/** What an API is made from, and what the others need to know of it. */
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda'
import type { RouteFunction } from '#lib/api/index.ts'

export type ApiFunctions = Readonly<Record<RouteFunction | 'gate.authorize', Lambda>>

export interface ApiMade {
  readonly url: string
  /** Names of CloudWatch's metrics; the two kinds of API have different ones. */
  readonly metrics: {
    readonly errors: string
    readonly requests: string
    readonly latency: string
    readonly dimensions: Readonly<Record<string, string>>
  }
}
