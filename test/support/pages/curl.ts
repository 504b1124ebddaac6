/** Stands in for curl where there is none: `curl -fsS [-X METHOD] <url> [-H header] [-d body]`. Another option is an error. */
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fail: { type: 'boolean', short: 'f' },
    silent: { type: 'boolean', short: 's' },
    'show-error': { type: 'boolean', short: 'S' },
    request: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true },
    data: { type: 'string', short: 'd' },
  },
})
const headers = (values.header ?? []).map((header) => header.split(/: */, 2) as [string, string])
const isTyped = headers.some(([name]) => name.toLowerCase() === 'content-type')
// What curl itself sends with -d.
if (values.data !== undefined && !isTyped) headers.push(['content-type', 'application/x-www-form-urlencoded'])
const response = await fetch(positionals[0] ?? '', {
  method: values.request ?? (values.data === undefined ? 'GET' : 'POST'),
  headers,
  ...(values.data === undefined ? {} : { body: values.data }),
})
process.stdout.write(await response.text())
if (!response.ok && values.fail === true) process.exitCode = 22
