/** What an attack could damage, as named facts: the server, a new session on it, its files, and files beside it. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { differencesOfWorlds, readFiles, readServer, readSession, type World } from '#test/support/corpus/world.ts'

export interface Site {
  /** As the superuser. */
  readonly url: string
  readonly dataFolder: string
  /** Outside of the data folder, writable for the server. */
  readonly canaryFile: string
}

/**
 * Facts that statements change which are rolled back or only read: the gateway's own short locks, and transaction ids
 * that end in ROLLBACK.
 */
const NOISE =
  /^(next transaction id|locks on tables|session: (setting (application_name|transaction_\w+)|user|schemas))$/

/** The user that a server started by root runs as. */
const UNPRIVILEGED_ID = 65_534

const SETTLE_ATTEMPTS = 6
const SETTLE_MS = 250

/** The names that attacks write to start so. */
const ATTACK_FILE = 'backstop-hostile'

/**
 * Files in the temporary folder that an attack can have written: by name, and, where the server runs as a user of its own, by owner.
 * Attacks write files and make no folders; folders of that user are other programs'.
 */
function foreignFiles(): string {
  const isRoot = process.getuid?.() === 0
  const names = readdirSync(tmpdir()).filter((name) => {
    try {
      const found = statSync(join(tmpdir(), name))
      return found.isFile() && (name.startsWith(ATTACK_FILE) || (isRoot && found.uid === UNPRIVILEGED_ID))
    } catch {
      return false
    }
  })
  return names.toSorted().join('\n')
}

function digestOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex')
  } catch {
    return 'absent'
  }
}

/** Sequences of identity and serial columns: like every aborted INSERT, one that the gate rolls back leaves a gap in them. */
const OWNED_SEQUENCES = `
SELECT 'sequence ' || n.nspname || '.' || c.relname AS name FROM pg_depend d
JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0`

function positionOf(fact: string | undefined): number {
  return Number(fact?.split(' ')[0])
}

/** True when the sequence only went on. */
function isGap(name: string, before: World, now: World): boolean {
  return name.startsWith('owned sequence ') && positionOf(now.get(name)) >= positionOf(before.get(name))
}

/** Look at everything. Effects: reads, with connections of its own. */
export async function readWorld(site: Site): Promise<World> {
  const observer = new Client({ connectionString: site.url, application_name: 'observer' })
  await observer.connect()
  try {
    const server = await readServer(observer)
    const session = await readSession(observer)
    const owned = new Set((await observer.query<{ name: string }>(OWNED_SEQUENCES)).rows.map(({ name }) => name))
    const facts = [
      ...[...server].map(([name, value]) => [owned.has(name) ? `owned ${name}` : name, value] as const),
      ...[...session].map(([name, value]) => [`session: ${name}`, value] as const),
      ...readFiles(site.dataFolder),
      ['canary file', digestOf(site.canaryFile)] as const,
      ['files of the server elsewhere', foreignFiles()] as const,
    ]
    return new Map(facts.filter(([name]) => !NOISE.test(name)))
  } finally {
    await observer.end()
  }
}

/** The differences that stay: what the gateway itself has under way passes within a moment. */
export async function damageSince(
  before: World,
  site: Site,
  mostLooks = SETTLE_ATTEMPTS,
): Promise<{ damages: string[]; now: World }> {
  for (let attempt = 1; ; attempt++) {
    const now = await readWorld(site)
    const damages = differencesOfWorlds(before, now).filter((line) => !isGap(line.split(': ')[0] ?? '', before, now))
    if (damages.length === 0 || attempt === mostLooks) return { damages, now }
    await delay(SETTLE_MS)
  }
}
