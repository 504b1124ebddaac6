/** Several writes that happen together, once per token. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { BackstopError } from '#lib/kernel/index.ts'
import type { WriteApplier } from './apply.ts'
import type { EncodedWrite, TransactionToken } from './model.ts'

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
  apply(writes: readonly EncodedWrite[], once: TransactionToken | undefined, nowS: number): void {
    if (once !== undefined && this.#isRepeated(once, nowS)) return
    this.#savepoint.run()
    try {
      for (const write of writes) this.#writes.apply(write, nowS)
      if (once !== undefined) this.#keepToken.run(once.token, once.writesSha256, nowS + TOKEN_LIFETIME_S)
      this.#release.run()
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK TO one; RELEASE one')
      throw error
    }
  }

  #isRepeated({ token, writesSha256 }: TransactionToken, nowS: number): boolean {
    const kept = this.#findToken.get(token, nowS)?.['writes_sha256']
    if (kept === undefined) return false
    if (kept === writesSha256) return true
    throw new BackstopError('RECORD_INVALID', 'the transaction token was used for other writes')
  }
}
