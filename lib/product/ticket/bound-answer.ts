/** Make an answer fit a record: rows that do not are left out from the end, and it says so. Pure. */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { QueryAnswer, RowsAnswer } from '#lib/gate/index.ts'

/** What a ticket's record has room for beside the request; a record holds 380,000 bytes. */
const MAX_PACKED_BYTES = 200_000

export function packAnswer(answer: QueryAnswer): string {
  return pack(boundAnswer(answer))
}

export function unpackAnswer(packed: string): QueryAnswer {
  return JSON.parse(inflateRawSync(Buffer.from(packed, 'base64')).toString()) as QueryAnswer
}

export function pack(value: object): string {
  return deflateRawSync(JSON.stringify(value)).toString('base64')
}

function fits(answer: QueryAnswer): boolean {
  return pack(answer).length <= MAX_PACKED_BYTES
}

function withRows(answer: RowsAnswer, count: number): RowsAnswer {
  const message = `Only the first ${count} rows are here: the answer of a statement that outlives its request is bounded. Read the rest with a query.`
  return {
    ...answer,
    row_count: count,
    rows: answer.rows.slice(0, count),
    truncated: { by: 'bytes', limit: MAX_PACKED_BYTES, message },
  }
}

/** As many of the first rows as fit, to within a sixteenth. */
function boundAnswer(answer: QueryAnswer): QueryAnswer {
  if (fits(answer) || !('rows' in answer)) return answer
  let least = 0
  let most = answer.rows.length
  while (most - least > Math.max(1, most >> 4)) {
    const middle = (least + most) >> 1
    if (fits(withRows(answer, middle))) least = middle
    else most = middle
  }
  return withRows(answer, least)
}
