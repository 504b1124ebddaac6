/** Another session in the middle of a query, which must outlive everything that runs as a read. */
import { Client } from 'pg'
import { eventually } from '#test/support/eventually.ts'

export interface Witness {
  readonly pid: number
  /** Resolves when its connection is closed, also when somebody has ended it before. */
  end(): Promise<void>
}

/** Longer than any suite. */
const SLEEP_S = 86_400

/** Resolves when the server shows it in its query: from then on it looks the same at every moment. */
export async function openWitness(url: string): Promise<Witness> {
  const client = new Client({ connectionString: url, application_name: 'witness' })
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const pid = rows[0]?.pid ?? 0
  client.query(`SELECT pg_sleep(${SLEEP_S})`).catch(() => {})
  await untilAsleep(url, pid)
  return { pid, end: () => client.end() }
}

async function untilAsleep(url: string, pid: number): Promise<void> {
  const observer = new Client({ connectionString: url })
  await observer.connect()
  const isAsleep = async () => {
    const { rowCount } = await observer.query(
      `SELECT FROM pg_stat_activity WHERE pid = ${pid} AND state = 'active' AND wait_event = 'PgSleep'`,
    )
    return rowCount === 1
  }
  await eventually(isAsleep, { what: 'the witness in its query' }).finally(() => observer.end())
}
