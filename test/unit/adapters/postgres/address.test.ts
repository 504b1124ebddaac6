/** Where a database is, as the driver is told. */
import { describe, expect, it } from 'vitest'
import { driverAddress, labelOf } from '#lib/adapters/postgres/address.ts'

const server = {
  host: 'db.example.com',
  port: 5_433,
  name: 'shop',
  user: 'gateway',
  password: async () => 'asked-for',
} as const

describe('a server by its parts', () => {
  it('is verified to be the host that was meant, also where that is an address', () => {
    const tls = { mode: 'verify-full', ca: ['one', 'two'] } as const
    expect(driverAddress({ server: { ...server, tls } }, () => 'p')).toMatchObject({
      host: 'db.example.com',
      port: 5_433,
      database: 'shop',
      user: 'gateway',
      ssl: { ca: ['one', 'two'], rejectUnauthorized: true, host: 'db.example.com' },
    })
    const byAddress = driverAddress({ server: { ...server, host: '192.0.2.7', tls } }, () => 'p')
    expect(byAddress.ssl).toMatchObject({ rejectUnauthorized: true, host: '192.0.2.7' })
  })

  it('is in the clear only when that is asked for', () => {
    expect(driverAddress({ server: { ...server, tls: { mode: 'disable' } } }, () => 'p').ssl).toBe(false)
  })

  it('is named without user and password', () => {
    const tls = { mode: 'disable' } as const
    expect(labelOf({ server: { ...server, tls } })).toBe('db.example.com:5433/shop')
    expect(labelOf({ url: 'postgresql://gateway:secret@db.example.com/shop' })).toBe('db.example.com:5432/shop')
    expect(() => labelOf({ url: 'https://gateway:secret@db' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('secret') }),
    )
  })
})
