/** A contest over one table: every contender takes its content out of the server, and puts it back. */

/** What a run of one contender took. */
export interface Run {
  /** From the start of the process to its end. */
  readonly ms: number
  /** Without the start of the process, where it tells. */
  readonly workMs?: number
  readonly rssMiB: number
}

export interface Place {
  /** Of the server's database `postgres`, where the table is. */
  readonly url: string
  /** Of an empty database, made for this one restore. */
  readonly scratchUrl: string
  readonly folder: string
}

export interface Contender {
  readonly name: string
  /** PostgreSQL's own way, which the bars are about. */
  readonly isNative?: true
  readonly capture: string
  readonly restore: string
  /** Take the table out. */
  take(place: Place): Promise<Run>
  /** Put it back, as a new table. Ours: beside the original; the others: in the scratch database. */
  bring(place: Place): Promise<Run>
  /** Bytes that it keeps. */
  sizeBytes(place: Place): number
}

export interface Skipped {
  readonly what: string
  readonly reason: string
}
