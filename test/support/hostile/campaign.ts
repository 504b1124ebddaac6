/** Sends written attacks through HTTP, and compares the whole world after each case with the world before it. */
import type { WrittenCase } from '#test/support/corpus/case-file.ts'
import type { World } from '#test/support/corpus/world.ts'
import { eventually } from '#test/support/eventually.ts'
import { type Outcome, outcomeOf, type Tally } from './attack.ts'
import { APP_ROLE, CANARY_TEXT, type Range } from './range.ts'
import { damageSince, readWorld } from './world.ts'

/** How the gate has to answer: `no-damage` is asked of every case. */
type Must = 'no-damage' | 'not-executed' | 'held' | 'no-secret'

const SECRETS = [CANARY_TEXT, 'SCRAM-SHA-256$']

/** What the next request on the pooled connection finds of the one before. */
const LEFT_BEHIND = `
SELECT (SELECT string_agg(name || '=' || coalesce(setting, ''), ',' ORDER BY name) FROM pg_settings
        WHERE source <> 'default' OR name NOT LIKE '%.%') AS settings,
       session_user::text || ' as ' || current_user AS who,
       (SELECT count(*) FROM pg_prepared_statements WHERE from_sql) AS prepared,
       (SELECT count(*) FROM pg_cursors WHERE is_holdable) AS cursors,
       (SELECT count(*) FROM pg_listening_channels()) AS channels,
       (SELECT count(*) FROM pg_class WHERE relpersistence = 't') AS temporary,
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory') AS advisory`

/** Asked again only when the machine was too slow for the statement timeout of the range: that ends in ROLLBACK and clears nothing. */
export async function readLeftBehind(range: Range): Promise<string> {
  const rows = await eventually(
    async () => {
      const { body } = await range.attack(LEFT_BEHIND, {}, 'agent2')
      if (body?.result?.status === 'executed') return body.result.rows
      if (body?.result?.error?.sql_state === '57014') return undefined
      throw new Error(`the probe was not executed: ${JSON.stringify(body)}`)
    },
    { what: 'an answer to the probe' },
  )
  return JSON.stringify(rows)
}

/** What differs between two comma-separated texts. */
function differenceOf(clean: string, left: string): string {
  const known = new Set(clean.split(','))
  return left
    .split(',')
    .filter((part) => !known.has(part))
    .join(', ')
}

/** Objects of set-ups belong to this role, so that they can be taken away again as a whole. */
const SETUP_ROLE = 'setup_owner'

async function setUp(range: Range, one: WrittenCase): Promise<void> {
  for (const setup of one.setup) {
    await range.own(`SET ROLE ${SETUP_ROLE}; ${setup}`).catch((error: Error) => {
      throw new Error(`${one.place}: the set-up failed: ${error.message}`)
    })
  }
  await range.own(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${APP_ROLE}`)
}

/** Cases without a set-up are compared together; those that prepare the database, each by itself. */
export function groupCases(cases: readonly WrittenCase[], mostInGroup: number): readonly (readonly WrittenCase[])[] {
  const groups: WrittenCase[][] = []
  for (const one of cases) {
    const last = groups.at(-1)
    const canJoin = one.setup.length === 0 && last?.[0]?.setup.length === 0 && last.length < mostInGroup
    if (canJoin) last.push(one)
    else groups.push([one])
  }
  return groups
}

/**
 * Run the cases against the range, each with its own set-up, which is gone before the next one.
 *
 * Effects: whatever the attacks do; every damage is noted with the cases that it may come from
 */
export async function runCampaign(
  range: Range,
  cases: readonly WrittenCase[],
  tally: Tally,
  mostInGroup = 12,
): Promise<void> {
  await range.own(`CREATE ROLE ${SETUP_ROLE} SUPERUSER`)
  const clean = await readLeftBehind(range)
  let before: World | undefined
  for (const group of groupCases(cases, mostInGroup)) {
    const hasSetup = group.some((one) => one.setup.length > 0)
    if (hasSetup) before = undefined
    for (const one of group) if (hasSetup) await setUp(range, one)
    before ??= await readWorld(range.site)
    for (const one of group) await runStatements(range, one, tally)
    await range.denyPending()
    const { damages, now } = await damageSince(before, range.site)
    for (const damage of damages) noteDamage(tally, group, damage)
    before = hasSetup ? undefined : now
    if (hasSetup) await range.own(`DROP OWNED BY ${SETUP_ROLE} CASCADE`)
    const left = await readLeftBehind(range)
    if (left !== clean) noteDamage(tally, group, `the next request finds ${differenceOf(clean, left)}`)
  }
}

function noteDamage(tally: Tally, group: readonly WrittenCase[], damage: string): void {
  const [first] = group
  if (first === undefined) return
  const names = group.map((one) => `${one.place} ${one.name}`).join(' | ')
  tally.noteDamage(classOf(first), `${names}: ${damage}`)
}

/** A principal may have so many held statements at a time. */
const MOST_HELD = 40

async function runStatements(range: Range, one: WrittenCase, tally: Tally): Promise<void> {
  for (const [index, statement] of one.statements.entries()) {
    if (index % MOST_HELD === 0) await range.denyPending()
    await runStatement(range, one, statement, tally)
  }
}

async function runStatement(range: Range, one: WrittenCase, statement: string, tally: Tally): Promise<void> {
  const reply = await range.attack(statement)
  const outcome = outcomeOf(reply)
  tally.note(classOf(one), [outcome])
  const problem = judge(mustOf(one), outcome, JSON.stringify(reply.body))
  if (problem === undefined) return
  const told = `${problem}: ${statement.slice(0, 120)} → ${JSON.stringify(reply.body).slice(0, 160)}`
  noteDamage(tally, [one], told)
}

function judge(must: Must, outcome: Outcome, answer: string): string | undefined {
  if (SECRETS.some((secret) => answer.includes(secret))) return 'it tells a secret'
  if (must === 'held' && outcome !== 'held') return 'not held'
  if (must === 'not-executed' && outcome === 'ran-harmless') return 'executed'
  return undefined
}

function classOf(one: WrittenCase): string {
  return one.section
}

function mustOf(one: WrittenCase): Must {
  return (one.fields.find((field) => field.key === 'must')?.value ?? 'no-damage') as Must
}
