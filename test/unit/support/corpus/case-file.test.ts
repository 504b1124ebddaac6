import { describe, expect, it } from 'vitest'
import { parseCaseFile } from '#test/support/corpus/case-file.ts'
import { expandGenerated } from '#test/support/corpus/generated-text.ts'
import { parseStatementFile } from '#test/support/corpus/statement-file.ts'

const WHOLE = `# Title

Prose before the first case.

## attack class

### a name
One sentence.
And another.

\`\`\`setup
CREATE TABLE a (id int);
\`\`\`

    SELECT 1
      -- indented

    FROM a

- level: SAFE, operation: SELECT
- target: read "a,b" all
`

describe('a file of cases', () => {
  it('gives name, reason, set-up, statement and fields of a case', () => {
    expect(parseCaseFile('x.md', WHOLE)).toEqual([
      {
        place: 'x.md:7',
        section: 'attack class',
        name: 'a name',
        why: 'One sentence. And another.',
        setup: ['CREATE TABLE a (id int);'],
        statements: ['SELECT 1\n  -- indented\n\nFROM a'],
        fields: [
          { key: 'level', value: 'SAFE' },
          { key: 'operation', value: 'SELECT' },
          { key: 'target', value: 'read "a,b" all' },
        ],
      },
    ])
  })

  it('takes several code blocks as several requests', () => {
    const text = '### a\nb\n\n```sql\nSELECT 1\n```\n\n```generate\n{{repeat 3 x}}\n```\n\n- class: c\n'
    expect(parseCaseFile('x.md', text)[0]?.statements).toEqual(['SELECT 1', 'xxx'])
  })

  it.each([
    ['without a reason', '### a\n\n    SELECT 1\n\n- level: SAFE', 'does not say why'],
    ['without a statement', '### a\nb\n\n- level: SAFE', 'has no statement'],
    ['without an expectation', '### a\nb\n\n    SELECT 1\n', 'expects nothing'],
    ['with a field that is no pair', '### a\nb\n\n    SELECT 1\n\n- SAFE', 'is not "key: value"'],
    ['with an open code block', '### a\nb\n\n```sql\nSELECT 1\n', 'does not end'],
    ['with an unknown code block', '### a\nb\n\n```js\n1\n```\n', 'known are sql'],
    ['with prose behind the statement', '### a\nb\n\n    SELECT 1\n\nmore\n- level: SAFE', 'text after the statement'],
    ['with a list before the first case', '- level: SAFE\n', 'before the first case'],
    [
      'with two cases of one name',
      '### a\nb\n\n    SELECT 1\n\n- x: y\n\n### a\nb\n\n    SELECT 1\n\n- x: y\n',
      'a second case',
    ],
  ])('refuses a case %s', (_, text, message) => {
    expect(() => parseCaseFile('x.md', text)).toThrow(message)
  })
})

describe('a generated statement', () => {
  it('repeats, names characters and fills to a size in bytes', () => {
    expect(expandGenerated('{{repeat 3 (}}{{char 202E}}{{repeat 2 {{char 20}}}}')).toBe('(((\u202e  ')
    const filled = expandGenerated("SELECT 'é{{fill 40 x}}'")
    expect(Buffer.byteLength(filled)).toBe(40)
    expect(filled.endsWith("xxx'")).toBe(true)
  })

  it('refuses a placeholder that it does not know', () => {
    expect(() => expandGenerated('{{repeat many x}}')).toThrow('not understood')
    expect(() => expandGenerated('{{char zz}}')).toThrow('not understood')
  })
})

describe('a file of legitimate statements', () => {
  it('gives names, statements and parameters', () => {
    expect(
      parseStatementFile('x.sql', '-- name: one\nSELECT 1;\n\n-- name: two\n-- params: [5, "a"]\nSELECT $1,\n  $2\n'),
    ).toEqual([
      { name: 'x.sql: one', sql: 'SELECT 1;', parameters: [] },
      { name: 'x.sql: two', sql: 'SELECT $1,\n  $2', parameters: [5, 'a'] },
    ])
  })

  it.each([
    ['SELECT 1\n-- name: a\nSELECT 1', 'before the first'],
    ['-- name: a\n\n', 'has no statement'],
    ['-- name: a\nSELECT 1\n-- name: a\nSELECT 2', 'occurs twice'],
    ['-- name: a\n-- params: {}\nSELECT 1', 'JSON array'],
  ])('refuses %j', (text, message) => {
    expect(() => parseStatementFile('x.sql', text)).toThrow(message)
  })
})
