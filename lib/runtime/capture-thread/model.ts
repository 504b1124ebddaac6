/** What the gateway's thread and the one that captures tell each other. Everything is a structured clone: no classes. */
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { CaptureOrder } from '#lib/recovery/index.ts'
import type { ThreadFailure } from './failure.ts'

/** Where the thread works: the same database, storage and metadata as its process, over connections of its own. */
export interface CapturePlaces {
  /** Holds a password: handed over in memory, never as an argument. */
  readonly databaseUrl: string
  readonly storageUrl: string
  readonly metadataPath: string
  /** Sessions that capture one large table. */
  readonly workers: number
  readonly maxRowBytes: number
}

/** All that a thread is started with; it ends when the order is carried out. */
export interface CaptureTask {
  readonly places: CapturePlaces
  readonly order: CaptureOrder
  /** By which its sessions are known at the server. */
  readonly sessionName: string
}

/** To the thread: take back what is in hand, and end. */
export const STOP = 'stop'

export type ThreadMessage =
  /** A helper gave a range back; the capture goes on. */
  | { readonly kind: 'given-back'; readonly failure: ThreadFailure }
  | { readonly kind: 'done'; readonly points: readonly RecoveryPoint[] }
  | { readonly kind: 'failed'; readonly failure: ThreadFailure }
