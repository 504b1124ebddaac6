/** The functions that an API calls. */
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda'
import type { RouteFunction } from '#lib/api/index.ts'

export type ApiFunctions = Readonly<Record<RouteFunction | 'gate.authorize', Lambda>>
