/** Every event that the product raises is in the table of docs/alerts.md, and some test raises it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

function textsUnder(folder: string): readonly string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  return files.filter((file) => file.endsWith('.ts')).map((file) => readFileSync(join(ROOT, folder, file), 'utf8'))
}

/** Names between quotes on a line that gives an alert its event, and the one family whose names are made. */
function eventsIn(texts: readonly string[]): ReadonlySet<string> {
  const lines = texts.flatMap((text) => text.match(/eventType:[^\n]*/g) ?? [])
  const named = lines.flatMap((line) => [...line.matchAll(/'([a-z]+(?:_[a-z]+)+)'/g)].map(([, name]) => name as string))
  const made = lines.some((line) => line.includes('`blocked_$')) ? ['blocked_<operation>'] : []
  return new Set([...named, ...made])
}

function documented(): ReadonlySet<string> {
  const table = readFileSync(join(ROOT, 'docs/alerts.md'), 'utf8').split('## Events')[1] ?? ''
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  return new Set(
    rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name as string)),
  )
}

/** Raised by a reason that is a variable. */
const BY_REASON = ['auth_unauthorized', 'auth_forbidden']

test('the table lists what is raised, and nothing else', () => {
  const raised = new Set([...eventsIn(textsUnder('lib')), ...BY_REASON])
  expect(raised.size).toBeGreaterThan(25)
  expect([...documented()].toSorted()).toEqual([...raised].toSorted())
})

test('each event is named by a test outside of this one', () => {
  const tests = textsUnder('test').filter((text) => !text.includes('eventsIn(textsUnder('))
  const untested = [...documented()]
    .map((name) => name.replace('<operation>', 'drop_database'))
    .filter((name) => !tests.some((text) => text.includes(name)))
  expect(untested).toEqual([])
})

test('a new event that nobody documented would be found', () => {
  expect([...eventsIn(["  eventType: 'something_new',\n", "  eventType: isOdd ? 'one_odd' : 'one_even',\n"])]).toEqual([
    'something_new',
    'one_odd',
    'one_even',
  ])
})
