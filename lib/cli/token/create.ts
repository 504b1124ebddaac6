/** `backstop token create`: a new token, shown once; the file gets its digest. */
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { defineCommand, list, requiredText, text } from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { checkScopes, makeToken, readExpiry, TOKEN_BYTES } from './entry.ts'
import { appendToTokenFile } from './file.ts'

export const tokenCreate = defineCommand({
  path: 'token create',
  summary: 'Create a token for the token file',
  details: 'The token is printed once. The file holds its SHA-256 alone, so reading the file does not give the token.',
  flags: {
    id: requiredText('--id <id>', 'who it is for: the name in approvals and in the audit ledger'),
    scopes: list('--scopes <list>', 'what it may do, such as query:execute,query:analyze'),
    agentIds: list('--agent-ids <list>', 'agent ids that it may speak for (any when left out)'),
    expiresIn: text('--expires-in <time>', 'how long it holds: 12h, 90d (for ever when left out)'),
    description: text('--description <text>', 'a note for whoever reads the file'),
    file: text('--file <path>', 'add the entry to this token file'),
  },
  json: 'token, entry, file',
  examples: [
    {
      does: 'For an agent',
      line: 'backstop token create --id agent --scopes query:execute,query:analyze --file tokens.json',
    },
    {
      does: 'For an operator, for 90 days',
      line: 'backstop token create --id alice --scopes approval:read,approval:write --expires-in 90d --file tokens.json',
    },
  ],
  async run({ flags }) {
    const { id, agentIds, description, file } = flags
    const scopes = checkScopes(flags.scopes ?? [])
    const order = {
      id,
      scopes,
      ...(description === undefined ? {} : { description }),
      ...(agentIds === undefined ? {} : { agentIds }),
      ...(flags.expiresIn === undefined ? {} : { expiresAt: readExpiry(flags.expiresIn, systemClock.nowMs()) }),
    }
    const { token, entry } = makeToken(order, systemRandom.bytes(TOKEN_BYTES))
    if (file !== undefined) await appendToTokenFile(file, entry)
    const blocks: Block[] = [
      { kind: 'code', text: token },
      { kind: 'text', text: 'This is shown once. Keep it in a secrets manager.', tone: 'warning' },
      file === undefined
        ? { kind: 'text', text: 'Entry for the token file:' }
        : { kind: 'text', text: `Its digest is in ${file}; a running gateway takes it up by itself.` },
    ]
    if (file === undefined) blocks.push({ kind: 'code', text: JSON.stringify(entry, null, 2) })
    return { ok: true, data: { token, entry, file: file ?? null }, blocks }
  },
})
