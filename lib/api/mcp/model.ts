/** What this server speaks of the Model Context Protocol. */

/** Newest first. A client that asks for another one is offered the newest, and decides. */
export const PROTOCOL_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26'] as const

export const SERVER_NAME = 'backstop'

export const INSTRUCTIONS =
  'SQL goes through a gate. Reads are answered at once. A dangerous statement answers approval_required with an approval_id: ' +
  'a person decides; then call execute_query again with the same query and that approval_id. Do not rephrase a statement ' +
  'that was blocked or denied.'
