import { describe, expect, it } from 'vitest'
import { MAX_AUDIT_QUERY_BYTES, scrubQuery } from '#lib/gate/audit/index.ts'

const SECRET = 'hunter2-Zürich'
const MOST_CPU_US = 2_000_000

describe('scrubQuery', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a role password', `ALTER ROLE app PASSWORD '${SECRET}'`],
    ['an encrypted password', `CREATE USER u WITH ENCRYPTED PASSWORD '${SECRET}' LOGIN`],
    ['a password on the next line', `ALTER ROLE app PASSWORD\n  '${SECRET}'`],
    ['a password behind comments', `ALTER ROLE app PASSWORD /* a * b */ -- c\n '${SECRET}'`],
    ['a password in an escape string', `ALTER ROLE app PASSWORD E'${SECRET}'`],
    ['a password with doubled quotes', `ALTER ROLE app PASSWORD 'it''s ${SECRET}'`],
    ['a password in dollar quotes', `ALTER ROLE app PASSWORD $x$${SECRET}$x$`],
    ['a password that is never closed', `ALTER ROLE app PASSWORD '${SECRET}`],
    ['a URL with credentials', `SELECT dblink_connect('postgresql://app:${SECRET}@db.internal/shop')`],
    ['a connection string', `SELECT dblink('host=db user=app password=${SECRET} dbname=x', 'SELECT 1')`],
    ['a column that is set', `UPDATE users SET password_hash = '${SECRET}' WHERE id = 1`],
    ['an api key', `INSERT INTO t SELECT set_config('x.api_key', '1', true), api_key => '${SECRET}'`],
    ['a JSON document', `INSERT INTO t VALUES ('{"client_secret": "${SECRET}"}')`],
    ['an option list', `CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'app', password '${SECRET}')`],
    ['a bearer token', `SELECT http_get('x', 'Authorization: Bearer hunter2-Zuerich.abc')`.replace('Zuerich', 'Z')],
    ['an AWS key id', "SELECT 'AKIAIOSFODNN7EXAMPLE'"],
    ['a private key', "SELECT '-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----'"],
    ['half a private key', "SELECT '-----BEGIN PRIVATE KEY-----\nhunter2"],
    ['a web token', "SELECT 'eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXIyIjoxfQ.c2ln'"],
  ]

  it.each(cases)('takes out %s and leaves the rest', (_, sql) => {
    const scrubbed = scrubQuery(sql)
    expect(scrubbed).toContain('[REDACTED]')
    expect(scrubbed).not.toMatch(/hunter2|Zürich|AKIAIOSFODNN7EXAMPLE|eyJhbGci/)
    expect(scrubbed.slice(0, 6)).toBe(sql.slice(0, 6))
    expect(scrubQuery(scrubbed)).toBe(scrubbed)
  })

  const harmless = [
    'SELECT id, name FROM orders WHERE customer_id = 17',
    "SELECT * FROM passengers WHERE class = 'first'",
    'SELECT count(*) FROM tokens',
    'SELECT password FROM users',
    'DROP TABLE secrets',
    "SELECT 'my_secret', 'b'",
    "UPDATE keyboards SET layout = 'qwerty'",
    "SELECT 'https://example.com/path'",
  ]
  it.each(harmless)('leaves %s as it is', (sql) => {
    expect(scrubQuery(sql)).toBe(sql)
  })

  it('cuts at the limit, on a character, and says how long the text was', () => {
    for (const character of ['a', 'é', '€', '💾']) {
      for (const shift of ['', 'x', 'xy', 'xyz']) {
        const scrubbed = scrubQuery(shift + character.repeat(9_000))
        expect(Buffer.byteLength(scrubbed)).toBeLessThanOrEqual(MAX_AUDIT_QUERY_BYTES)
        expect(Buffer.byteLength(scrubbed)).toBeGreaterThan(MAX_AUDIT_QUERY_BYTES - 100)
        expect(scrubbed).not.toContain('\ufffd')
        expect(scrubbed).toMatch(/ … \[cut: the whole text had \d+ bytes\]$/)
        expect(scrubQuery(scrubbed)).toBe(scrubbed)
      }
    }
  })

  it('finds a secret that lies across the cut', () => {
    const sql = `SELECT '${'x'.repeat(8_170)}', password = '${SECRET}'`
    expect(scrubQuery(sql)).not.toContain('hunter2')
  })

  it('replaces halves of surrogate pairs', () => {
    expect(scrubQuery("SELECT '\ud800'")).toBe("SELECT '\ufffd'")
  })

  it.each([
    "password '",
    "password = ' ",
    'a://',
    'a:',
    'pass:',
    '$',
    "E'\\",
    'secret_',
    'secret /* ',
    'secret --\n',
    'secret/***/ ',
    'secret',
    'password ',
    '-----BEGIN PRIVATE KEY-----',
    'eyJaaaaa.',
    'bearer ',
    'x',
  ])('is not slowed down by a long statement of %j', (unit) => {
    const sql = `pass ${unit.repeat(Math.floor(262_144 / unit.length))}`
    const before = process.threadCpuUsage()
    expect(Buffer.byteLength(scrubQuery(sql))).toBeLessThanOrEqual(MAX_AUDIT_QUERY_BYTES)
    // Of the processor, not of the clock: a machine that does something else meanwhile slows nothing down here.
    expect(process.threadCpuUsage(before).user).toBeLessThan(MOST_CPU_US)
  })
})
