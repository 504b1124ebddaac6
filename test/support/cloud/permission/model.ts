/** Words of IAM, as far as the product's roles use them. */

/** What a request needs to be allowed. */
export interface Wanted {
  readonly action: string
  readonly resource: string
  /** Condition keys that the request brings; absent ones are null to `Null`. */
  readonly context: Readonly<Record<string, string>>
}

export interface PolicyStatement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>
}

/** A call as it was recorded. */
export interface RecordedCall {
  readonly functionName: string
  /** Several for a transaction. Empty: it could not be read. */
  readonly wanted: readonly Wanted[]
  /** For a person who reads that it was refused. */
  readonly summary: string
}
