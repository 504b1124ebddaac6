/** Where AWS is for this function: its region, and another endpoint where a local cloud runs it. */
import type { AwsClientSettings } from '#lib/adapters/aws/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { findVariable, getVariable } from '../environment.ts'

export function awsSettings(): AwsClientSettings {
  const endpoint = findVariable('AWS_ENDPOINT_URL')
  return { region: getVariable('AWS_REGION'), ...(endpoint === undefined ? {} : { endpoint }) }
}

/** The real time and real randomness. */
export const SYSTEM = { clock: systemClock, random: systemRandom } as const
