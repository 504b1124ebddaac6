/** The names that a look-up asks for, and what tells a user's object from the server's own. */
import type { WrittenName } from '../classify/index.ts'

/** Objects made by users have OIDs from here on (FirstNormalObjectId). */
export const FIRST_USER_OID = 16_384

/** OIDs of `internal` and `c`. */
export const INTERNAL_LANGUAGES = '12, 13'

export interface NamesToLookUp {
  readonly relations: readonly WrittenName[]
  readonly functions: readonly string[]
  /** Schemas that function calls name. */
  readonly functionSchemas: readonly string[]
  readonly operators: readonly string[]
  /** Names that stand after a dot. */
  readonly attributes: readonly string[]
  readonly types: readonly WrittenName[]
  /** True inside definitions, whose own search path is unknown: functions of every schema count. */
  readonly everywhere: boolean
}
