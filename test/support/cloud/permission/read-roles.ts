/** The statements of each deployed function's role, as the deployment resolved them. */
import type { PolicyStatement } from './model.ts'

/** As a client would sign it; the emulator looks at the service alone. */
const SIGNATURE = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0',
  'content-type': 'application/x-www-form-urlencoded',
}

async function askIam(endpoint: string, parameters: Readonly<Record<string, string>>): Promise<string> {
  const body = new URLSearchParams({ Version: '2010-05-08', ...parameters }).toString()
  const response = await fetch(endpoint, { method: 'POST', headers: SIGNATURE, body })
  const text = await response.text()
  if (!response.ok) throw new Error(`IAM ${parameters['Action']}: HTTP ${response.status} ${text.slice(0, 300)}`)
  return text
}

function documentOf(xml: string): { readonly Statement: readonly PolicyStatement[] } {
  const text = /<PolicyDocument>([\s\S]*?)<\/PolicyDocument>/.exec(xml)?.[1] ?? ''
  const plain = text.replaceAll('&quot;', '"').replaceAll('&amp;', '&')
  return JSON.parse(plain.startsWith('%7B') ? decodeURIComponent(plain) : plain)
}

/** Throws when the role has no statement: nothing could be concluded from it. */
export async function readRole(endpoint: string, functionName: string): Promise<readonly PolicyStatement[]> {
  const response = await fetch(`${endpoint}/2015-03-31/functions/${functionName}/configuration`)
  const { Role } = (await response.json()) as { Role: string }
  const RoleName = Role.split('/').at(-1) as string
  const listed = await askIam(endpoint, { Action: 'ListRolePolicies', RoleName })
  const names = [...listed.matchAll(/<member>([^<]+)<\/member>/g)].map(([, name]) => name as string)
  const documents = await Promise.all(
    names.map(async (PolicyName) =>
      documentOf(await askIam(endpoint, { Action: 'GetRolePolicy', RoleName, PolicyName })),
    ),
  )
  const statements = documents.flatMap(({ Statement }) => Statement)
  if (statements.length === 0) throw new Error(`The role of ${functionName} has no statements.`)
  return statements
}
