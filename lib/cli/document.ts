/** Renders `docs/cli.md` from the table of commands. */
import { COMMANDS } from './commands.ts'
import { type Command, loadCommands } from './frame/index.ts'

const HEAD = `# Command line

Generated from the table of commands in \`lib/cli\`; a test compares the two. To write it anew, run
\`npx vitest run --project unit test/unit/cli -u\`.

\`backstop\` is \`npx backstop\`, or \`node bin/backstop.js\` from a clone. Every command takes \`--json\` (one JSON document with
\`ok\`), \`--no-color\` and \`--help\`. Exit codes: 0 ok, 1 failed or bad news, 2 wrong usage or settings, 130 interrupted. An error
is \`Error:\` and \`Hint:\` on standard error; with \`--json\` it is \`{"ok":false,"error":{"code","message","hint"}}\` on standard output.
Secrets are never arguments: tokens come from \`BACKSTOP_TOKEN\` or a file.
`

function usageLine(command: Command): string {
  const args = command.args.map(({ name, isRequired }) => (isRequired ? `<${name}>` : `[${name}]`))
  const required = Object.values(command.flags).filter((flag) => flag.isRequired)
  return ['backstop', ...command.path, ...required.map((flag) => flag.term), ...args].join(' ')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

function flagRows(command: Command): string {
  const flags = Object.values(command.flags)
  if (flags.length === 0) return ''
  const rows = flags.map(({ term, summary, choices, defaultText }) => {
    const words = choices === undefined ? '' : `: ${choices.join(', ')}`
    const preset = defaultText === undefined ? '' : ` (default ${defaultText})`
    return `| \`${term}\` | ${cell(summary)}${words}${preset} |`
  })
  return `\n| flag | meaning |\n|---|---|\n${rows.join('\n')}\n`
}

function section(command: Command): string {
  const details = command.details === undefined ? '' : `\n${command.details}\n`
  const examples = command.examples.map(({ does, line }) => `# ${does}\n${line}`).join('\n')
  return `## ${command.path.join(' ')}

${command.summary}: \`${usageLine(command)}\`
${details}${flagRows(command)}
With \`--json\`: ${command.json}.

\`\`\`
${examples}
\`\`\`
`
}

/** Loads every command there is. */
export async function renderCommandDocument(): Promise<string> {
  const commands = await loadCommands(COMMANDS, () => true)
  return [HEAD, ...commands.map(section)].join('\n')
}
