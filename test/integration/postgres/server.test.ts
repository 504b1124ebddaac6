/** A server by its parts: its password asked for with each connection, once more when it was refused, and dead connections found. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgres, type PostgresServer } from '#lib/adapters/postgres/index.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

let db: TestDatabase
let server: Omit<PostgresServer, 'password'>
const ROLE = `rotated_${process.pid}`

beforeAll(async () => {
  db = await createTestDatabase(`CREATE ROLE ${ROLE} LOGIN PASSWORD 'first-password'`)
  const url = new URL(db.url)
  server = { host: url.hostname, port: Number(url.port), name: db.name, user: ROLE, tls: { mode: 'disable' } }
})
afterAll(async () => {
  await db.run(`DROP ROLE ${ROLE}`)
  await db.drop()
})

const who = (database: ReturnType<typeof openPostgres>) =>
  database.withSession((session) => session.query<{ who: string }>('SELECT current_user::text AS who'))

describe('a server whose password is asked for', () => {
  it('is asked anew with each connection, and named without user and password', async () => {
    let asked = 0
    const password = async () => {
      asked += 1
      return 'first-password'
    }
    const database = openPostgres({ server: { ...server, password } })
    expect(database.label).toBe(`${server.host}:${server.port}/${db.name}`)
    expect(await who(database)).toEqual([{ who: ROLE }])
    await database.withDedicatedSession((session) => session.query('SELECT 1'))
    expect(asked).toBe(2)
    await database.close()
  })

  it('is asked once more when the password has just been rotated, and not for ever', async () => {
    await db.run(`ALTER ROLE ${ROLE} PASSWORD 'second-password'`)
    let known = 'first-password'
    let forgotten = 0
    const forgetPassword = () => {
      forgotten += 1
      known = 'second-password'
    }
    const database = openPostgres({ server: { ...server, password: async () => known, forgetPassword } })
    expect(await who(database)).toEqual([{ who: ROLE }])
    expect(forgotten).toBe(1)
    await database.close()

    const wrong = openPostgres({ server: { ...server, password: async () => 'never-right', forgetPassword } })
    await expect(who(wrong)).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
    expect(forgotten).toBe(2)
    await wrong.close()
  })

  it('says why the password cannot be had, and not what it was', async () => {
    const database = openPostgres({
      server: {
        ...server,
        async password() {
          throw new Error('throttled')
        },
      },
    })
    const error = await who(database).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'DATABASE_UNREACHABLE' })
    await database.close()
  })

  it('is not reached in the clear when its certificate has to be verified', async () => {
    const tls = { mode: 'verify-full', ca: [] } as const
    const database = openPostgres({ server: { ...server, tls, password: async () => 'second-password' } })
    await expect(who(database)).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringContaining('SSL'),
    })
    await database.close()
  })
})

describe('a connection that broke while the process was frozen', () => {
  it('is found before a statement does, and replaced', async () => {
    const options = { url: db.url, maxConnections: 1, idleTimeoutMs: 0 }
    const database = openPostgres({ ...options, checkAfterIdleMs: 0 })
    const [before] = await database.withSession((session) =>
      session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'),
    )
    await db.run(`SELECT pg_terminate_backend(${before?.pid})`)
    const [after] = await database.withSession((session) =>
      session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'),
    )
    expect(after?.pid).not.toBe(before?.pid)
    await database.close()
  })
})
