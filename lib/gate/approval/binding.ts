/** When a resubmission is the statement that was approved. */
import type { JsonObject, JsonValue, Sha256Hex } from '#lib/kernel/index.ts'
import { canonicalJson, jsonDigest } from '#lib/kernel/index.ts'
import type { ApprovalBinding } from './model.ts'

/** Every bound field but the recovery points, and what a refusal calls it. Newer points may take the place of older ones. */
const FIELD_NAMES: Readonly<Record<Exclude<keyof ApprovalBinding, 'recoveryPoints'>, string>> = {
  principal: 'principal',
  agentId: 'agent_id',
  statementSha256: 'statement',
  parametersSha256: 'parameters',
  database: 'database',
  relations: 'relations',
  functions: 'functions',
  policyVersion: 'policy_version',
}

type ComparedField = keyof typeof FIELD_NAMES

const COMPARED_FIELDS = Object.keys(FIELD_NAMES) as readonly ComparedField[]

/** Equal for two bindings exactly when `diffBindings` finds nothing. */
export function bindingDigest(binding: ApprovalBinding): Sha256Hex {
  const compared: JsonObject = Object.fromEntries(COMPARED_FIELDS.map((field) => [field, boundValue(binding, field)]))
  return jsonDigest(compared)
}

/** The names of the fields that differ, in a fixed order. */
export function diffBindings(approved: ApprovalBinding, submitted: ApprovalBinding): readonly string[] {
  const differs = (field: ComparedField) =>
    canonicalJson(boundValue(approved, field)) !== canonicalJson(boundValue(submitted, field))
  return COMPARED_FIELDS.filter(differs).map((field) => FIELD_NAMES[field])
}

function boundValue(binding: ApprovalBinding, field: ComparedField): JsonValue {
  const value = binding[field]
  return typeof value === 'string' ? value : [...value].sort()
}
