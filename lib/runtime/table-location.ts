/** `dynamodb://table[@endpoint]` as a place. Pure. */
import { BackstopError } from '#lib/kernel/index.ts'
import { endpointOf } from './s3-location.ts'

export interface TableLocation {
  readonly table: string
  /** Absent: Amazon DynamoDB. */
  readonly endpoint?: string
}

const FORM = /^dynamodb:\/\/(?<table>[A-Za-z0-9_.-]{3,255})(?:@(?<endpoint>.+))?$/

export const isTableLocation = (location: string): boolean => location.startsWith('dynamodb:')

/** Throws CONFIG_INVALID, and STORAGE_URL_INVALID for the endpoint; messages never repeat the location. */
export function parseTableLocation(location: string): TableLocation {
  const groups = FORM.exec(location)?.groups
  if (groups?.['table'] === undefined) {
    throw new BackstopError('CONFIG_INVALID', 'The metadata location has the form dynamodb://table[@endpoint].')
  }
  const { table, endpoint } = groups
  return { table, ...(endpoint !== undefined && { endpoint: endpointOf(endpoint) }) }
}
