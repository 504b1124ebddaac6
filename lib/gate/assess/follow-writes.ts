/** What a write sets off: triggers, rules, defaults and checks, and the writes of those in their turn. */
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { Access, Finding } from '../classify/index.ts'
import { findActingExpressions, findActingFunctions, findActingRules, type Written } from './acting-functions.ts'
import type { FunctionRow } from './catalog-rows.ts'
import { outsideFindings, Walk } from './closure.ts'

/** Longest chain of triggers that write to tables with triggers. */
const MAX_LINKS = 8

export interface SetOff {
  readonly functions: readonly FunctionRow[]
  /** Only what no rollback undoes: the rest is counted by the row guard. */
  readonly findings: readonly Finding[]
  readonly definitions: readonly string[]
}

const REMOVES: ReadonlySet<Access> = new Set<Access>(['delete', 'merge', 'truncate'])

type Writes = ReadonlyMap<number, readonly Access[]>

function writtenOf(writes: Writes): Written {
  const accesses = [...writes.values()].flat()
  return {
    oids: [...writes.keys()],
    removesRows: accesses.some((access) => REMOVES.has(access)),
    changesRows: accesses.some((access) => access === 'update' || access === 'merge'),
  }
}

/** Follow from the relations that a statement writes to until nothing new is written. */
export async function followWrites(session: DatabaseSession, first: Writes): Promise<SetOff> {
  const walk = new Walk(session)
  const functions = new Map<number, FunctionRow>()
  const findings: Finding[] = []
  const known = new Set<string>()
  const isNew = ([oid, accesses]: [number, readonly Access[]]) => !known.has(`${oid}:${[...accesses].sort()}`)
  let writes = first
  for (let link = 0; writes.size > 0; link++) {
    if (link === MAX_LINKS) {
      const message = 'The triggers that it sets off write to tables with triggers too often to be followed.'
      findings.push({ code: 'definitions-too-deep', level: 'HIGH', message })
      break
    }
    for (const [oid, accesses] of writes) known.add(`${oid}:${[...accesses].sort()}`)
    const written = writtenOf(writes)
    for (const row of await findActingFunctions(session, written)) functions.set(row.oid, row)
    await walk.addFunctions([...functions.keys()])
    const expressions = (await findActingExpressions(session, written)).filter((text) => text.includes('('))
    const domains = [
      ...(await walk.addExpressions(expressions)),
      ...(await walk.addRules(await findActingRules(session, written))),
    ]
    await walk.follow(domains)
    writes = new Map([...walk.writes].filter(isNew))
  }
  return {
    functions: [...functions.values()],
    findings: [...findings, ...outsideFindings(walk)],
    definitions: [...walk.definitions],
  }
}
