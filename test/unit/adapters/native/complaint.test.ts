import { expect, test } from 'vitest'
import { describeComplaint } from '#lib/adapters/native/complaint.ts'

test('keeps what went wrong and leaves out rows, statements and the password', () => {
  const text = [
    'pg_restore: while PROCESSING TOC:',
    'pg_restore: from TOC entry 3350; 0 16390 TABLE DATA users postgres',
    'pg_restore: error: COPY failed for table "users": ERROR:  duplicate key value violates unique constraint "users_pkey"',
    'DETAIL:  Key (email)=(ann@example.org) already exists.',
    'CONTEXT:  COPY users, line 1',
    'pg_restore: error: could not execute query: ERROR:  invalid input syntax for type integer: "4111 1111"',
    "Command was: INSERT INTO cards VALUES ('4111 1111');",
    'pg_restore: error: password hunter2 is not right',
  ].join('\n')
  const said = describeComplaint(text, ['hunter2', ''])
  expect(said).toBe(
    'COPY failed for table "users": ERROR:  duplicate key value violates unique constraint "users_pkey"; ' +
      'could not execute query: ERROR:  invalid input syntax for type integer: (a value); password *** is not right',
  )
})

test('says nothing when nothing was said', () => {
  expect(describeComplaint('pg_dump: last built-in OID is 16383\n', [])).toBe('')
})
