/** A function call as a finding, as harmless, or as a question for the catalog. */
import { needTransaction, raise, raiseAlways, type Walk } from '../facts.ts'
import type { FunctionUse } from '../model.ts'
import { STEADY_FUNCTIONS, VOLATILE_FUNCTIONS } from './catalog-functions.ts'
import { findDenial } from './denied-functions.ts'
import { HARMLESS_VOLATILE } from './harmless-functions.ts'

/**
 * Note a call and judge it by name.
 *
 * Invariants: the deny list is asked first and for every schema, so that a qualified or a copied name gains nothing; what
 *             is VOLATILE in pg_catalog and not known to be harmless raises; what is not in pg_catalog is left to the catalog
 *             look-up (see `unresolvedFunctions`). The planner never runs a VOLATILE function, so plain EXPLAIN does not raise
 *             for those.
 */
export function noteFunction(use: FunctionUse, walk: Walk): void {
  walk.facts.functions.push(use)
  const isCatalog = use.schema === undefined || use.schema === 'pg_catalog'
  const denial = findDenial(use.name)
  if (denial !== undefined) {
    const note = isCatalog && VOLATILE_FUNCTIONS.has(use.name) ? raise : raiseAlways
    note(walk, denial.code, denial.level, `${use.name}() ${denial.reason}`)
    needTransaction(walk, denial.transaction ?? 'write')
    return
  }
  if (isCatalog && (STEADY_FUNCTIONS.has(use.name) || HARMLESS_VOLATILE.has(use.name))) return
  if (isCatalog && VOLATILE_FUNCTIONS.has(use.name)) {
    raise(walk, 'volatile-function', 'HIGH', `${use.name}() is volatile and not known to be harmless`)
  } else if (use.schema === 'pg_catalog') {
    raiseAlways(walk, 'unknown-function', 'HIGH', `pg_catalog.${use.name}() is not known`)
  } else {
    walk.facts.unresolvedFunctions.push(use)
  }
}
