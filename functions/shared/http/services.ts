/** The services of the routes that a function serves, from the parts that it has; all else is absent. */

import { defectReporter, type Foundation } from '#lib/product/index.ts'
import { absent } from '../absent.ts'
import type { HttpParts } from './serve.ts'

type Services = HttpParts['services']

function nothing(): Services {
  const { listTokens, policy, capture } = absent<Pick<Services, 'listTokens' | 'capture'> & { policy(): never }>('part')
  return {
    gate: absent('gate'),
    approvals: absent('approval desk'),
    pause: absent('pause switch'),
    conduct: absent('conduct watch'),
    ledger: absent('ledger'),
    audit: absent('audit reader'),
    alerts: absent('alert desk'),
    snapshots: absent('recovery points'),
    sets: absent('sets'),
    health: absent('health probes'),
    metrics: absent('metrics'),
    clock: absent('clock'),
    random: absent('random'),
    listTokens,
    policy,
    capture,
    reportDefect: () => {},
  }
}

export function servicesWith(foundation: Foundation, given: Partial<Services>): Services {
  const { metrics, clock, random, log } = foundation
  return { ...nothing(), metrics, clock, random, reportDefect: defectReporter(log), ...given }
}
