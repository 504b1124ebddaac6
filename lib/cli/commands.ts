/** The table of commands, in the order of the help. */

import { analyze } from './analyze/index.ts'
import type { Command } from './frame/index.ts'
import { policyCheck } from './policy/index.ts'
import { tokenCreate } from './token/index.ts'

export const COMMANDS: readonly Command[] = [analyze, policyCheck, tokenCreate]

/** What the words that hold several commands are for. */
export const GROUPS: Readonly<Record<string, string>> = {
  approvals: 'Held statements and the decisions on them.',
  audit: 'The audit ledger.',
  policy: 'The policy file.',
  snapshots: 'Recovery points.',
  token: 'Tokens for agents and people.',
}
