/** What a check of the doctor says: what it looked at, what is wrong and how to mend it, what it skipped and why. */

export type CheckStatus = 'ok' | 'degraded' | 'failed' | 'skipped'

export interface CheckFinding {
  readonly severity: 'degraded' | 'failed'
  readonly problem: string
  readonly fix: string
  /** To be answered by a person by name: the plan is theirs. */
  readonly ownerQuestion: string
}

export interface CheckSkip {
  readonly subject: string
  readonly reason: string
  /** False: it does not apply here, and nobody has to do anything about it. */
  readonly isOpen: boolean
}

export interface CheckReport {
  readonly name: string
  /** `skipped`: nothing of it was looked at. */
  readonly status: CheckStatus
  readonly lookedAt: readonly string[]
  readonly findings: readonly CheckFinding[]
  readonly skipped: readonly CheckSkip[]
  /** Worth knowing, and nothing to mend. */
  readonly notes: readonly string[]
}

export type Verdict = 'ready' | 'degraded' | 'not_ready'

/** Notes what one check finds; its status follows from that. */
export class Notebook {
  readonly #name: string
  readonly #lookedAt: string[] = []
  readonly #findings: CheckFinding[] = []
  readonly #skipped: CheckSkip[] = []
  readonly #notes: string[] = []

  constructor(name: string) {
    this.#name = name
  }

  looked(at: string): void {
    this.#lookedAt.push(at)
  }

  note(text: string): void {
    this.#notes.push(text)
  }

  fail(problem: string, fix: string): void {
    this.#find('failed', problem, fix)
  }

  degrade(problem: string, fix: string): void {
    this.#find('degraded', problem, fix)
  }

  /** Could have been looked at, with something that was not given. */
  skip(subject: string, reason: string): void {
    this.#skipped.push({ subject, reason, isOpen: true })
  }

  /** Does not apply here. */
  passOver(subject: string, reason: string): void {
    this.#skipped.push({ subject, reason, isOpen: false })
  }

  #find(severity: CheckFinding['severity'], problem: string, fix: string): void {
    const ownerQuestion = `Who takes care of this, and until when: ${problem}?`
    this.#findings.push({ severity, problem, fix, ownerQuestion })
  }

  report(): CheckReport {
    const { severity } = this.#findings.find((one) => one.severity === 'failed') ?? this.#findings[0] ?? {}
    const status = severity ?? (this.#lookedAt.length === 0 ? 'skipped' : 'ok')
    return {
      name: this.#name,
      status,
      lookedAt: this.#lookedAt,
      findings: this.#findings,
      skipped: this.#skipped,
      notes: this.#notes,
    }
  }
}
