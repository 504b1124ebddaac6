import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { restoreCommandLine, settingWord } from '#lib/runtime/tools/restore-command.ts'

test('a shell gets every word as it was, after PostgreSQL has replaced its own', () => {
  const words = [`it's`, `a "b" $HOME`, '100%', 'back\\slash', '`id`', 'plain', 'ünï', '*']
  const line = words.map(settingWord).join(' ').replaceAll('%%', '%')
  const out = execFileSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
  expect(out).toBe(`${words.join('\n')}\n`)
})

test('the line calls this program, or what it is told to', () => {
  expect(restoreCommandLine('file:///b%20c', "it's", '/opt/backstop')).toBe(
    `/opt/backstop wal fetch --storage 'file:///b%%20c' --cluster-id 'it'\\''s' --wal-name %f --output "%p"`,
  )
  expect(restoreCommandLine('file:///b', 'prod')).toContain('bin/backstop.ts wal fetch --storage file:///b ')
})
