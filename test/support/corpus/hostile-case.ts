/** Attacks as written in `test/corpus/hostile`: what is sent, what the owner prepared, and which stage has to stop it. */
import type { WrittenCase } from './case-file.ts'
import { readHostileCases } from './corpus-files.ts'

/** The latest stage at which an attack must have been stopped. */
export const STAGES = ['text', 'catalog', 'measurement', 'server', 'session'] as const
export type Stage = (typeof STAGES)[number]

export interface HostileCase {
  readonly place: string
  /** `transaction-mode escapes`, `server files`, … */
  readonly attackClass: string
  readonly name: string
  readonly why: string
  /** The owner runs these beforehand, in file order, all of them before the first attack. */
  readonly setup: readonly string[]
  /** Sent one after the other, by one agent, without any approval. */
  readonly requests: readonly string[]
  readonly stoppedBy: Stage
  /** Number of the known hole that it tries. */
  readonly hole?: number
  /** Text that no answer may hold. */
  readonly leak?: string
  /** `ordinary`: a superuser is entitled to it. */
  readonly roles: 'any' | 'ordinary'
}

/** What the placeholders of statements stand for. */
export interface HostileWorld {
  /** libpq connection string of the same database. */
  readonly connection: string
  readonly port: string
  readonly database: string
  /** Role and password of that connection. */
  readonly role: string
  readonly password: string
  /** A backend that must stay alive. */
  readonly witness: string
}

const PLACEHOLDER = /\{\{(connection|port|database|role|password|witness)\}\}/g

/** All attacks, in file order. Throws Error with the case's place at an unknown field. */
export function listHostileCases(): HostileCase[] {
  return [...readHostileCases().values()].flat().map(readHostileCase)
}

/** Fill in `{{connection}}`, `{{witness}}` and the like. */
export function fillPlaceholders(sql: string, world: HostileWorld): string {
  return sql.replace(PLACEHOLDER, (_, name: keyof HostileWorld) => world[name])
}

/** Read one attack. Throws Error with the case's place at an unknown field or value. */
export function readHostileCase(written: WrittenCase): HostileCase {
  const fields = new Map(written.fields.map(({ key, value }) => [key, value]))
  for (const key of fields.keys()) {
    if (!['stopped-by', 'hole', 'leak', 'as'].includes(key)) throw new Error(`${written.place}: unknown key "${key}"`)
  }
  const { place, name, why, setup } = written
  const [stoppedBy, hole, leak, roles] = [
    fields.get('stopped-by'),
    fields.get('hole'),
    fields.get('leak'),
    fields.get('as'),
  ]
  if (!STAGES.includes(stoppedBy as Stage)) throw new Error(`${place}: stopped-by is one of ${STAGES.join(', ')}`)
  if (roles !== undefined && roles !== 'ordinary') throw new Error(`${place}: as is "ordinary" or absent`)
  if (written.section === '') throw new Error(`${place}: a case outside of a class`)
  return {
    place,
    attackClass: written.section,
    name,
    why,
    setup,
    requests: written.statements,
    stoppedBy: stoppedBy as Stage,
    ...(hole === undefined ? {} : { hole: Number(hole) }),
    ...(leak === undefined ? {} : { leak }),
    roles: roles ?? 'any',
  }
}
