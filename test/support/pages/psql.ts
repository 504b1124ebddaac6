/** Stands in for psql where there is none: `psql <url> [-v NAME=value] (-c <sql> | -f <file>)`. Another option is an error. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Client } from 'pg'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    variable: { type: 'string', short: 'v' },
    command: { type: 'string', short: 'c' },
    file: { type: 'string', short: 'f' },
  },
})
const sql = values.file === undefined ? (values.command ?? '') : readFileSync(values.file, 'utf8')
const client = new Client({ connectionString: positionals[0] })
await client.connect()
try {
  const results = await client.query(sql)
  for (const { command, rows } of [results].flat()) {
    console.log([command, ...rows.map((row) => JSON.stringify(row))].join('\n'))
  }
} finally {
  await client.end()
}
