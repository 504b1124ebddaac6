import type { ErrorTable } from './kind.ts'

/** Errors of the ports: records, objects, queues, notifications, secrets. */
export const STORE_ERRORS = {
  RECORD_EXISTS: { kind: 'conflict', retry: false, hint: 'Read the existing record and decide from what it says.' },
  RECORD_CHANGED: {
    kind: 'conflict',
    retry: true,
    hint: 'Read the record again and repeat the change on its new version.',
  },
  RECORD_TOO_LARGE: {
    kind: 'oversized',
    retry: false,
    hint: 'Keep large content in the object store and its key in the record.',
  },
  RECORD_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'Keys must be non-empty and a transaction holds 1 to 25 writes on distinct records.',
  },
  CURSOR_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'Pass the cursor of the previous page unchanged, with the same query.',
  },
  OBJECT_EXISTS: {
    kind: 'conflict',
    retry: false,
    hint: 'The object was written before; objects are never overwritten here.',
  },
  OBJECT_MISSING: { kind: 'missing', retry: false, hint: 'Check the key with a listing of its folder.' },
  OBJECT_KEY_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'Use relative keys of plain segments without "..", empty segments or control characters.',
  },
  OBJECT_RANGE_INVALID: { kind: 'invalid', retry: false, hint: 'Ask for a range inside the object.' },
  STORAGE_UNREACHABLE: {
    kind: 'dependency',
    retry: true,
    hint: 'Check BACKSTOP_STORAGE_URL, and the space and the permissions of the folder or bucket there.',
  },
  STORAGE_URL_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'Use file:///folder with an absolute path, or s3://bucket[/prefix][@endpoint].',
  },
  METADATA_UNREACHABLE: {
    kind: 'dependency',
    retry: true,
    hint:
      'Check BACKSTOP_METADATA_DB: the folder must exist and be writable, and the disk must not be full. ' +
      'On AWS check what the message says about the table.',
  },
  WORK_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'Correct what the message names; work that was received lies in the dead-letter queue, nothing of it was done.',
  },
  WORK_TOO_LARGE: {
    kind: 'oversized',
    retry: false,
    hint: 'Keep large content in the object store and its key in the work.',
  },
  QUEUE_UNREACHABLE: {
    kind: 'dependency',
    retry: true,
    hint: 'Check that the queue exists, that this identity may use it, and that the network reaches it.',
  },
  SECRET_MISSING: {
    kind: 'missing',
    retry: false,
    hint: 'Set the environment variable or write the file that the message names.',
  },
  SECRETS_UNREACHABLE: {
    kind: 'dependency',
    retry: true,
    hint: 'Check that the place that keeps the secrets answers, and that this identity may read them.',
  },
  KEY_MISSING: {
    kind: 'missing',
    retry: false,
    hint: 'Name a key that exists. What was wrapped under a key that is gone cannot be opened: restore the key first.',
  },
  KEY_REFUSED: {
    kind: 'integrity',
    retry: false,
    hint: 'Use the key and the context that it was wrapped with; a disabled key must be enabled, altered bytes restored.',
  },
  KEYS_UNREACHABLE: {
    kind: 'dependency',
    retry: true,
    hint: 'Check that the place that keeps the keys answers, and that this identity may use them.',
  },
  NOTIFICATION_FAILED: {
    kind: 'dependency',
    retry: true,
    hint: 'Check that the webhook address answers with a 2xx status, or that the topic exists and may be published to.',
  },
} as const satisfies ErrorTable
