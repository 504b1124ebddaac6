import type { ErrorTable } from './kind.ts'

/** Errors of start-up, HTTP and the command line. */
export const SERVICE_ERRORS = {
  CONFIG_INVALID: { kind: 'invalid', retry: false, hint: 'Correct the setting that the message names.' },
  USAGE_INVALID: { kind: 'invalid', retry: false, hint: 'See --help for the arguments and examples.' },
  PORT_TAKEN: {
    kind: 'dependency',
    retry: false,
    hint: 'Stop the other process or choose another port with BACKSTOP_PORT.',
  },
  DATABASE_UNREACHABLE: {
    kind: 'dependency',
    retry: true,
    hint: 'Try: psql "$BACKSTOP_DB_URL" -c "SELECT 1". Check host, port, user and network.',
  },
  DATABASE_START_FAILED: { kind: 'dependency', retry: false, hint: 'Read the server log that the message names.' },
  TOKENS_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'The token file is a JSON array of {"id","token","scopes"}; create entries with "backstop token create".',
  },
  UNAUTHORIZED: {
    kind: 'unauthenticated',
    retry: false,
    hint: 'Send "Authorization: Bearer <token>" with a token from the token file.',
  },
  IDENTITY_UNAVAILABLE: {
    kind: 'dependency',
    retry: true,
    hint: 'Nothing was done. Check that the token store can be read, and try again in a moment.',
  },
  INSUFFICIENT_SCOPE: {
    kind: 'denied',
    retry: false,
    hint: 'Use a token that has the scope, or add it to this one in the token file.',
  },
  AGENT_NOT_ALLOWED: { kind: 'denied', retry: false, hint: 'Use an agent_id that the token lists.' },
  BODY_TOO_LARGE: { kind: 'oversized', retry: false, hint: 'Send a smaller request.' },
  BODY_INVALID: { kind: 'invalid', retry: false, hint: 'Send a JSON body with Content-Type application/json.' },
  REQUEST_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'Correct the field that the message names; GET /openapi.json has every schema.',
  },
  MEDIA_TYPE_UNSUPPORTED: {
    kind: 'invalid',
    retry: false,
    hint: 'Send "Content-Type: application/json" and no Content-Encoding.',
  },
  HOST_NOT_ALLOWED: {
    kind: 'denied',
    retry: false,
    hint: 'Call the gateway as localhost or 127.0.0.1, or add the name to the allowed hosts.',
  },
  ORIGIN_NOT_ALLOWED: {
    kind: 'denied',
    retry: false,
    hint: 'Call the gateway from a program, or from a page that the gateway itself serves.',
  },
  RATE_LIMITED: { kind: 'limited', retry: true, hint: 'Wait for the seconds that Retry-After names.' },
  ROUTE_MISSING: { kind: 'missing', retry: false, hint: 'See GET /openapi.json for every path.' },
  METHOD_NOT_ALLOWED: { kind: 'invalid', retry: false, hint: 'See the Allow header.' },
  NOT_READY: {
    kind: 'dependency',
    retry: true,
    hint: 'Nothing was done. The operator finds the reason in the log of this function.',
  },
  SHUTTING_DOWN: {
    kind: 'dependency',
    retry: true,
    hint: 'Try again in a moment, on another instance if there is one.',
  },
  GATEWAY_UNREACHABLE: {
    kind: 'dependency',
    retry: true,
    hint: 'Start it with "backstop up", or name the right address with --url or BACKSTOP_URL.',
  },
  GATEWAY_ANSWER_INVALID: {
    kind: 'dependency',
    retry: false,
    hint: 'Check that the address is that of a Backstop gateway and not of something in front of it.',
  },
  NOT_AVAILABLE_YET: {
    kind: 'unsupported',
    retry: false,
    hint: 'It comes with a later release; "backstop --help" lists what there is.',
  },
  BUG: { kind: 'bug', retry: false, hint: 'This is a defect of Backstop: report it with the correlation id.' },
} as const satisfies ErrorTable
