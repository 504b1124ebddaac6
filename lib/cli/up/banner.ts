/** What `up` prints when everything runs. */
import { readVersion } from '../frame/index.ts'
import { AGENT_ID } from '../shop/index.ts'
import type { Block } from '../terminal/index.ts'
import { curlBlocks, TOKEN_VARIABLES } from './curl-lines.ts'
import type { StartedProduct } from './start.ts'

/** Without a token: this is printed as JSON and may be logged. */
export function bannerData({ product, config, isEmbedded, dataFolder, tokenList }: StartedProduct): object {
  return {
    event: 'ready',
    version: readVersion(),
    url: product.url,
    sync_url: product.syncUrl ?? null,
    database: product.databaseLabel,
    is_embedded: isEmbedded,
    storage: config.storageUrl,
    metadata_db: config.metadataPath,
    data_folder: dataFolder,
    dev_mode: config.isDevMode,
    tokens: tokenList.map(({ id, scopes }) => ({ id, scopes })),
    pid: process.pid,
  }
}

function warnings({ config, isEmbedded }: StartedProduct): readonly Block[] {
  const blocks: Block[] = []
  if (config.isDevMode) {
    const text =
      '!!! DEV MODE: the well-known token "dev-token" has every right, and people may approve their own requests.\n' +
      '!!! Never on a network, never in production. Unset BACKSTOP_DEV_MODE.'
    blocks.push({ kind: 'text', text, tone: 'bad' })
  }
  if (isEmbedded) {
    const text = 'Embedded PostgreSQL with a demonstration shop. Set BACKSTOP_DB_URL to guard a database of yours.'
    blocks.push({ kind: 'text', text, tone: 'muted' })
  }
  return blocks
}

/** Ids and scopes of those that come from a file; the tokens themselves only where they were made for this run. */
function tokenBlocks({ shopTokens, tokenList }: StartedProduct): readonly Block[] {
  if (shopTokens === undefined) {
    const rows = tokenList.map(({ id, scopes, expiresAt }) => [id, scopes.join(' '), expiresAt ?? 'never'])
    const columns = [{ title: 'token' }, { title: 'scopes' }, { title: 'expires' }]
    return [{ kind: 'table', columns, rows, whenEmpty: 'No token is known: nobody can call the gateway.' }]
  }
  return [
    { kind: 'title', text: 'Tokens, made for this run and shown once' },
    { kind: 'pairs', pairs: Object.entries(shopTokens.tokens) },
  ]
}

/** The password stays in its file: it is neither printed nor an argument. */
function recoverBlocks({ config, databaseUrlFile }: StartedProduct): readonly Block[] {
  if (databaseUrlFile === undefined) return []
  const line = `BACKSTOP_DB_URL="$(cat ${databaseUrlFile})" npx backstop recover --storage ${config.storageUrl} --table payments`
  return [
    { kind: 'title', text: 'A table that was dropped comes back' },
    { kind: 'text', text: line },
  ]
}

export function bannerBlocks(started: StartedProduct): readonly Block[] {
  const { product, config, shopTokens, isEmbedded } = started
  const lines = curlBlocks({
    url: product.url,
    tokens: shopTokens?.tokens ?? TOKEN_VARIABLES,
    agentId: shopTokens === undefined ? 'my-agent' : AGENT_ID,
    read: isEmbedded ? 'SELECT country, count(*) FROM customers GROUP BY 1' : 'SELECT now()',
    danger: isEmbedded ? 'DROP TABLE payments' : 'DROP TABLE some_table',
  })
  return [
    { kind: 'title', text: `Backstop ${readVersion()} is running` },
    {
      kind: 'pairs',
      pairs: [
        ['url', product.url],
        [
          'background health',
          product.syncUrl === undefined ? 'not served: see BACKSTOP_SYNC_PORT' : `${product.syncUrl}/health`,
        ],
        ['database', product.databaseLabel],
        ['storage', config.storageUrl],
        ['metadata', config.metadataPath],
      ],
    },
    ...warnings(started),
    ...tokenBlocks(started),
    ...lines,
    ...recoverBlocks(started),
    { kind: 'text', text: '\nCtrl-C stops it; running statements are finished first.', tone: 'muted' },
  ]
}
