import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { COMMANDS } from '#lib/cli/commands.ts'
import { renderCommandDocument } from '#lib/cli/document.ts'

test('docs/cli.md is what the table of commands says', async () => {
  await expect(await renderCommandDocument()).toMatchFileSnapshot('../../../docs/cli.md')
})

test('every test, page and command that README and CONTRIBUTING name exists', () => {
  const text = ['README.md', 'CONTRIBUTING.md'].map((file) => readFileSync(file, 'utf8')).join('\n')
  const tests = [...text.matchAll(/`(test\/[^`\s]+)`/g)].map((match) => match[1] ?? '')
  const pages = [...text.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] ?? '')
  expect(tests.length).toBeGreaterThanOrEqual(15)
  expect(pages.length).toBeGreaterThanOrEqual(6)
  expect([...tests, ...pages].filter((path) => !existsSync(path))).toEqual([])
  const known = COMMANDS.map(({ path }) => path.join(' '))
  const named = [...text.matchAll(/`backstop ([a-z]+(?: [a-z]+)?)/g)].map((match) => match[1] ?? '')
  expect(named.length).toBeGreaterThanOrEqual(8)
  expect(named.filter((words) => !known.includes(words) && !known.includes(words.split(' ')[0] ?? ''))).toEqual([])
})
