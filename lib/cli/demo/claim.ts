/** What the demonstration says, and the check of it: nothing is printed as true that was not compared. */
import { isDeepStrictEqual } from 'node:util'
import type { SqlParameter } from '#lib/ports/index.ts'

interface ClaimBase {
  /** One sentence, as it is printed. */
  readonly says: string
  readonly equals: unknown
}

/** About the data: asked over a direct connection, past the product. */
export interface DatabaseClaim extends ClaimBase {
  readonly kind: 'database'
  /** One row with one column. */
  readonly sql: string
  readonly parameters?: readonly SqlParameter[]
}

/** About an answer that the product gave. */
export interface AnswerClaim extends ClaimBase {
  readonly kind: 'answer'
  readonly found: unknown
}

export type Claim = DatabaseClaim | AnswerClaim

export interface CheckedClaim {
  readonly says: string
  readonly ok: boolean
  readonly checked_by: 'database' | 'answer'
  readonly expected: unknown
  readonly actual: unknown
}

/** Asks the database directly; the value of the only column of the only row. */
export type AskDatabase = (sql: string, parameters?: readonly SqlParameter[]) => Promise<unknown>

export function databaseClaim(says: string, sql: string, equals: unknown, ...parameters: SqlParameter[]): Claim {
  return { kind: 'database', says, sql, equals, parameters }
}

export function answerClaim(says: string, found: unknown, equals: unknown): Claim {
  return { kind: 'answer', says, found, equals }
}

async function findActual(claim: Claim, ask: AskDatabase): Promise<unknown> {
  if (claim.kind === 'answer') return claim.found
  try {
    return await ask(claim.sql, claim.parameters)
  } catch (error) {
    return `the check failed: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** A claim whose check fails is false; one that expects nothing in particular is no claim. */
export async function checkClaim(claim: Claim, ask: AskDatabase): Promise<CheckedClaim> {
  const actual = await findActual(claim, ask)
  const ok = claim.equals !== undefined && isDeepStrictEqual(actual, claim.equals)
  return { says: claim.says, ok, checked_by: claim.kind, expected: claim.equals ?? null, actual: actual ?? null }
}

export async function checkClaims(claims: readonly Claim[], ask: AskDatabase): Promise<readonly CheckedClaim[]> {
  const checked: CheckedClaim[] = []
  for (const claim of claims) checked.push(await checkClaim(claim, ask))
  return checked
}
