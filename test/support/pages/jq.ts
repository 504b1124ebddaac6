/** Stands in for jq where there is none: the filters that the pages use. Another one is an error. */
import { text } from 'node:stream/consumers'

// biome-ignore lint/suspicious/noExplicitAny: any JSON
type Filter = (document: any) => readonly unknown[]

const FILTERS: Readonly<Record<string, Filter>> = {
  '.': (document) => [document],
  '.[0]': (document) => [document[0] ?? null],
  '.policy': (document) => [document.policy ?? null],
  '.[] | .token': (document) => document.map((entry: { token?: string }) => entry.token ?? null),
}

const filter = FILTERS[process.argv[2] ?? '']
if (filter === undefined) throw new Error(`no filter ${process.argv[2]}`)
for (const value of filter(JSON.parse(await text(process.stdin)))) console.log(JSON.stringify(value, null, 2))
