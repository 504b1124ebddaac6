/** docs/settings.md says what the environment's variables are, and their defaults. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '#lib/runtime/index.ts'

const DOCUMENT = readFileSync('docs/settings.md', 'utf8')

function namesIn(text: string): readonly string[] {
  const names = [...text.matchAll(/\bBACKSTOP_[A-Z]+(?:_[A-Z]+)*\b/g)].map(([name]) => name)
  return [...new Set(names)].toSorted()
}

function sourceFiles(): readonly string[] {
  return ['lib', 'functions'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(folder, path)),
  )
}

test('docs/settings.md names every variable that the code reads, and no other', () => {
  const files = sourceFiles()
  expect(files.length).toBeGreaterThanOrEqual(200)
  const read = namesIn(files.map((path) => readFileSync(path, 'utf8')).join('\n'))
  expect(read.length).toBeGreaterThanOrEqual(30)
  expect(namesIn(DOCUMENT)).toEqual(read)
})

test('docs/settings.md gives the defaults that are in force', () => {
  const read = readConfig({}, '/data')
  const retention = Object.entries(read.retention).map(([name, value]) => [
    `retention${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    value,
  ])
  const config: Readonly<Record<string, unknown>> = { ...read, ...Object.fromEntries(retention) }
  const rows = [...DOCUMENT.matchAll(/^\| `BACKSTOP_([A-Z_]+)` \| `([^`]+)` \|/gm)].filter(([, name]) => name !== 'URL')
  expect(rows.length).toBeGreaterThanOrEqual(14)
  const renamed: Readonly<Record<string, string>> = { DEV_MODE: 'isDevMode', PUBLIC_METRICS: 'hasPublicMetrics' }
  for (const [, name = '', preset] of rows) {
    const member =
      renamed[name] ?? name.toLowerCase().replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    expect({ name, preset: String(config[member]) }).toEqual({ name, preset })
  }
})

test('every link between the pages leads somewhere', () => {
  const pages = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md'))
  expect(pages.length).toBeGreaterThanOrEqual(15)
  const links = pages.flatMap((page) =>
    [...readFileSync(join('docs', page), 'utf8').matchAll(/\]\(([^)#:\s]+)\)/g)].map(([, target = '']) => ({
      page,
      target: join(dirname(page), target),
    })),
  )
  expect(links.length).toBeGreaterThanOrEqual(10)
  const known = new Set(['', ...readdirSync('docs', { recursive: true, encoding: 'utf8' })])
  expect(links.filter(({ target }) => !known.has(target))).toEqual([])
})
