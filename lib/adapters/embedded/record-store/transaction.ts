/** Several writes that happen together, once per token. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError, jsonDigest } from '#lib/kernel/index.ts'
import type { EncodedWrite, WriteApplier } from './apply.ts'

const TOKEN_LIFETIME_S = 600

export class TransactionApplier {
  readonly #database: DatabaseSync
  readonly #writes: WriteApplier
  readonly #findToken: StatementSync
  readonly #keepToken: StatementSync
  readonly #savepoint: StatementSync
  readonly #release: StatementSync

  constructor(database: DatabaseSync, writes: WriteApplier) {
    this.#database = database
    this.#writes = writes
    this.#findToken = database.prepare(
      'SELECT writes_sha256 FROM transaction_token WHERE token = ? AND expires_at_s > ?',
    )
    this.#keepToken = database.prepare('INSERT OR REPLACE INTO transaction_token VALUES (?, ?, ?)')
    this.#savepoint = database.prepare('SAVEPOINT one')
    this.#release = database.prepare('RELEASE one')
  }

  /** Runs inside an open transaction; changes nothing when it throws. */
  apply(writes: readonly EncodedWrite[], token: string | undefined, nowS: number): void {
    const digest = token === undefined ? '' : jsonDigest(writes.map(({ write }) => write as unknown as JsonObject))
    if (token !== undefined && this.#isRepeated(token, digest, nowS)) return
    this.#savepoint.run()
    try {
      for (const write of writes) this.#writes.apply(write, nowS)
      if (token !== undefined) this.#keepToken.run(token, digest, nowS + TOKEN_LIFETIME_S)
      this.#release.run()
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK TO one; RELEASE one')
      throw error
    }
  }

  #isRepeated(token: string, digest: string, nowS: number): boolean {
    const kept = this.#findToken.get(token, nowS)?.['writes_sha256']
    if (kept === undefined) return false
    if (kept === digest) return true
    throw new BackstopError('RECORD_INVALID', 'the transaction token was used for other writes')
  }
}
