/** A port is found free a moment before the server binds it: who is faster gets it, and the server another one. */
import { type AddressInfo, createServer, Server } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'

const others: Server[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const other of others) other.close()
})

/** The next port that is found free is taken by somebody else at once. */
function takeNextPort(): void {
  const close = Server.prototype.close
  vi.spyOn(Server.prototype, 'close').mockImplementationOnce(function (this: Server, done) {
    const { port } = this.address() as AddressInfo
    const taking = () => others.push(createServer().listen(port, '127.0.0.1', () => done?.()))
    return close.call(this, taking)
  })
}

it('a server in a temporary folder starts at another port', async () => {
  takeNextPort()
  const cluster = await startCluster()
  try {
    expect(others.map((other) => (other.address() as AddressInfo).port)).not.toContain(cluster.port)
    expect(others).toHaveLength(1)
    const database = openPostgres({ url: cluster.urlFor('postgres') })
    expect(await database.withSession((session) => session.query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
    await database.close()
  } finally {
    await cluster.stop()
  }
})
