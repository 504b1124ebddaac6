/** Runs one cell of the matrix on a database of its own: snapshot, damage, restore, the printed SQL, comparison. */
import { quoteIdentifier, quoteRelation, type RelationName } from '#lib/kernel/index.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { openTestRecovery, type TestRecovery } from '#test/support/recovery/open.ts'
import type { Expectation, Shape, Situation } from './model.ts'

export type CellResult =
  | { readonly outcome: Expectation; readonly statements: number; readonly usedAside: boolean }
  | { readonly outcome: 'not applicable'; readonly why: string }

interface Cell {
  readonly db: TestDatabase
  readonly slice: TestRecovery
  readonly shape: Shape
}

interface TableState {
  readonly rows: readonly string[]
  readonly definition: object
}

/** Throws when the table is not what the situation expects. */
export async function runCell(
  shape: Shape,
  situation: Situation,
  roles: readonly [string, string],
): Promise<CellResult> {
  const damage = situation.damage(shape, quoteRelation(shape.relation))
  if (typeof damage !== 'string') return { outcome: 'not applicable', why: damage.why }
  const db = await createTestDatabase(shape.seed.replaceAll('ROLE_A', roles[0]).replaceAll('ROLE_B', roles[1]))
  const slice = await openTestRecovery(db.database)
  try {
    return await runIn({ db, slice, shape }, situation, damage)
  } finally {
    await slice.close()
    await db.drop()
  }
}

async function runIn(cell: Cell, situation: Situation, damage: string): Promise<CellResult> {
  const { db, slice, shape } = cell
  const tables = [shape.relation, ...(shape.others ?? [])]
  const before = await readStates(cell, tables)
  const points = await Promise.all(tables.map((table) => slice.recovery.findNewestValid(table)))
  await db.run(damage)
  const firedBefore = await countFired(db)
  let statements = 0
  let usedAside = false
  for (const [index, table] of tables.entries()) {
    const snapshotId = points[index]?.snapshotId
    if (snapshotId === undefined) throw new Error(`${table.name} was not captured`)
    await slice.recovery.restore({ snapshotId })
    if (situation.expects === 'refused') {
      await expectRefusal(cell, snapshotId)
      return { outcome: 'refused', statements: 0, usedAside }
    }
    const plan = await slice.recovery.planCopyback(snapshotId, undefined, situation.policy)
    if (situation.expects === 'exact' && plan.aside !== undefined) {
      usedAside = true
      await db.run(plan.aside.join(';\n'))
    }
    statements += plan.statements.length
    if (plan.statements.length > 0) await db.run(plan.statements.join(';\n'))
  }
  await dropLeftovers(db, tables)
  if ((await countFired(db)) !== firedBefore) throw new Error('a trigger or a rule acted on rows that came back')
  await check(cell, situation, before)
  return { outcome: situation.expects, statements, usedAside }
}

/** Recovered tables that were only read, and rows that were set aside: they have keys of their own. */
async function dropLeftovers(db: TestDatabase, tables: readonly RelationName[]): Promise<void> {
  const found = await db.run(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname ~ '_recovered(_|$)|_[0-9a-f]{8}$'`,
  )
  if (found.length > tables.length * 2) throw new Error(`too many tables were left: ${JSON.stringify(found)}`)
  for (const { name } of found) await db.run(`DROP TABLE ${String(name)} CASCADE`)
}

async function expectRefusal({ slice }: Cell, snapshotId: `snap_${string}`): Promise<void> {
  const plan = await slice.recovery.planCopyback(snapshotId, undefined, 'fail').catch((error: unknown) => error)
  const code = (plan as { code?: string }).code
  if (code !== 'RESTORE_TARGET_EXISTS') throw new Error(`no refusal but ${code ?? JSON.stringify(plan)}`)
}

async function readStates({ slice, db }: Cell, tables: readonly RelationName[]): Promise<readonly TableState[]> {
  const states: TableState[] = []
  for (const table of tables) {
    const point = await slice.recovery.capture(table, 'manual')
    const { manifest } = await slice.recovery.readManifest(point.snapshotId)
    const columns = manifest.definition.columns.map(({ name }) => quoteIdentifier(name)).toSorted()
    const only = manifest.definition.partitionKey === null ? 'ONLY ' : ''
    const rows = await db.run(
      `SELECT ROW(${columns.join(', ')})::text AS body FROM ${only}${quoteRelation(table)} ORDER BY 1`,
    )
    states.push({
      rows: rows.map(({ body }) => String(body)),
      definition: normal(manifest.definition),
    })
  }
  return states
}

/** A column that came back is the last one, and a sequence may have moved on: both are no loss. */
function normal(definition: Readonly<Record<string, unknown>>): object {
  const columns = definition['columns'] as readonly { readonly name: string; readonly sequence: object | null }[]
  const sorted = columns
    .map((column) =>
      column.sequence === null
        ? column
        : { ...column, sequence: { ...column.sequence, lastValue: '', isCalled: true } },
    )
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
  // The order of what is required says which was made first, and nothing else.
  const requires = (definition['requires'] as readonly object[] | undefined) ?? []
  return { ...definition, columns: sorted, requires: requires.map((one) => JSON.stringify(one)).toSorted() }
}

/** What triggers and rules of the shapes leave behind. */
async function countFired(db: TestDatabase): Promise<number> {
  const [found] = await db.run(
    `SELECT (CASE WHEN to_regclass('public.log') IS NULL THEN '0' ELSE
        (xpath('//c/text()', query_to_xml('SELECT count(*) AS c FROM public.log', false, true, '')))[1]::text END)::integer
      + (CASE WHEN to_regclass('public.shadow') IS NULL THEN '0' ELSE
        (xpath('//c/text()', query_to_xml('SELECT count(*) AS c FROM public.shadow', false, true, '')))[1]::text END)::integer AS fired`,
  )
  return Number(found?.['fired'])
}

async function check(cell: Cell, situation: Situation, before: readonly TableState[]): Promise<void> {
  const { shape } = cell
  const tables = [shape.relation, ...(shape.others ?? [])]
  const after = await readStates(cell, tables)
  const [first] = before
  const [now] = after
  if (first === undefined || now === undefined) throw new Error('nothing was compared')
  if (situation.expects === 'exact') {
    for (const [index, state] of before.entries())
      expectSame(tables[index], state, after[index], shape.differs?.[situation.name])
    await expectNextNumber(cell)
    return
  }
  const lost = first.rows.filter((row) => !now.rows.includes(row)).length
  const gained = now.rows.filter((row) => !first.rows.includes(row)).length
  const hasKey = shape.key.length > 0
  // Of two changed rows a key tells that they are changed; without one they are lost rows, and two that nobody knows.
  const left = situation.expects === 'skipped' && hasKey ? 2 : 0
  if (lost !== left) throw new Error(`${lost} rows of the snapshot are not there`)
  const isAdded = now.rows.some((row) => /added/i.test(row))
  if (!isAdded) throw new Error('the row that was added is gone')
  if (hasKey && gained !== 1 + left) throw new Error(`${gained} rows are new`)
}

function expectSame(
  table: RelationName | undefined,
  before: TableState,
  after: TableState | undefined,
  differs: readonly string[] = [],
): void {
  const name = table?.name ?? ''
  if (before.rows.length < 8) throw new Error(`${name} has hardly any rows`)
  if (after === undefined) throw new Error(`${name} was not read again`)
  if (JSON.stringify(before.rows) !== JSON.stringify(after.rows)) {
    const lost = before.rows.filter((row) => !after.rows.includes(row))
    const gained = after.rows.filter((row) => !before.rows.includes(row))
    throw new Error(`${name}: rows differ: lost ${lost.length} (${lost[0]}), gained ${gained.length} (${gained[0]})`)
  }
  for (const member of Object.keys(before.definition) as never[]) {
    const [was, is] = [JSON.stringify(before.definition[member]), JSON.stringify(after.definition[member])]
    if (was !== is && !differs.includes(member)) throw new Error(`${name}: ${member} was ${was}\nand is ${is}`)
  }
}

async function expectNextNumber({ db, shape }: Cell): Promise<void> {
  if (shape.next === undefined) return
  const { insert, column } = shape.next
  const table = quoteRelation(shape.relation)
  const [largest] = await db.run(`SELECT max(${column})::text AS largest FROM ${table}`)
  const [made] = await db.run(`${insert} RETURNING ${column}::text AS made`)
  if (Number(made?.['made']) > Number(largest?.['largest'])) return
  throw new Error(`the next number is ${String(made?.['made'])}, and ${String(largest?.['largest'])} is there`)
}
