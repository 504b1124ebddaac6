import { describe, expect, test } from 'vitest'
import { connectionVariables, databaseArgument, toolEnvironment } from '#lib/adapters/native/connection.ts'

describe('the variables of a connection URL', () => {
  test('hold every part, decoded', () => {
    const url = 'postgresql://us%40er:p%3Aw%25%20%C3%BC@[::1]:6543/sh%2Fop?sslmode=verify-full&sslrootcert=/ca%20x.pem'
    expect(connectionVariables(url)).toEqual({
      PGHOST: '::1',
      PGPORT: '6543',
      PGUSER: 'us@er',
      PGPASSWORD: 'p:w% ü',
      PGDATABASE: 'sh/op',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/ca x.pem',
    })
  })

  test('leave out what the URL leaves out, so that the usual files and variables count', () => {
    expect(connectionVariables('postgresql://postgres@localhost/mydb')).toEqual({
      PGHOST: 'localhost',
      PGUSER: 'postgres',
      PGDATABASE: 'mydb',
    })
    expect(connectionVariables('postgres:///mydb?host=/run/postgresql')).toEqual({
      PGHOST: '/run/postgresql',
      PGDATABASE: 'mydb',
    })
  })

  test.each([
    ['mysql://u:secret@h/d', 'malformed'],
    ['u:secret', 'malformed'],
    ['postgresql://u:100%secret@h/d', 'no escape'],
    ['postgresql://u:secret@h/d?replication=true', '"replication"'],
    ['postgresql://u:sec%00ret@h/d', 'NUL'],
  ])('refuse %s without showing it', (url, says) => {
    expect(() => connectionVariables(url)).toThrow(says)
    expect(() => connectionVariables(url)).not.toThrow(/secret/)
  })
})

test('a database name cannot be taken for a connection string', () => {
  expect(databaseArgument({ PGDATABASE: `host=evil o'dd\\` })).toBe(`dbname='host=evil o\\'dd\\\\'`)
})

test('a program gets credentials of libpq and nothing of ours, nor another way to a server', () => {
  const own = {
    PATH: '/bin',
    HOME: '/h',
    PGPASSFILE: '/h/pass',
    PGHOSTADDR: '10.0.0.1',
    PGSERVICE: 'prod',
    BACKSTOP_DB_URL: 'postgresql://x',
    AWS_SECRET_ACCESS_KEY: 's',
    NODE_OPTIONS: '--inspect',
  }
  expect(toolEnvironment(own, { PGHOST: 'h' })).toEqual({
    PATH: '/bin',
    HOME: '/h',
    PGPASSFILE: '/h/pass',
    LC_MESSAGES: 'C',
    PGHOST: 'h',
  })
})
