/** Turn the route table into the page docs/http.md. */
import type { Access, Route } from '../route/index.ts'
import { ROUTES } from '../route/index.ts'
import { TOOLS } from '../tool/index.ts'
import { errorStatuses } from './build.ts'

function accessText(access: Access): string {
  if (access === 'open') return 'open'
  return access === 'token' ? 'any token' : `\`${access}\``
}

function bodyText({ body }: Route): string {
  return body.kind === 'none' ? '' : `JSON, ${body.limitBytes / 1_024} KiB`
}

function rowOf(route: Route): string {
  const query = Object.keys(route.query.shape).map((name) => `\`${name}\``)
  const cells = [
    `\`${route.method} ${route.path}\``,
    accessText(route.access),
    query.join(' '),
    bodyText(route),
    errorStatuses(route).join(' '),
    route.summary,
  ]
  return `| ${cells.join(' | ')} |`
}

/** The whole page, ending in a line feed. */
export function renderHttpDocument(): string {
  const lines = [
    '# HTTP interface',
    '',
    'Generated from the route table `lib/api/route/table.ts`; a test compares the two. To write it anew, run',
    '`npx vitest run --project unit test/unit/api/openapi -u`. `GET /openapi.json` has every schema.',
    '',
    '| request | scope | query | body | errors | answers |',
    '|---|---|---|---|---|---|',
    ...ROUTES.map(rowOf),
    '',
    'Tools of `POST /`:',
    '',
    '| tool | scope | does |',
    '|---|---|---|',
    ...TOOLS.map((tool) => `| \`${tool.name}\` | \`${tool.scope}\` | ${tool.description} |`),
    '',
  ]
  return lines.join('\n')
}
