/** Object keys that stand twice in a JSON text, where a parser would silently keep the last one. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/** The duplicated keys of a text that is valid JSON, in order of appearance. */
export function findDuplicateKeys(json: string): readonly string[] {
  const duplicates: string[] = []
  const open: (Set<string> | undefined)[] = []
  let text: string | undefined
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':' && text !== undefined) noteKey(JSON.parse(text) as string, open.at(-1), duplicates)
    text = token.startsWith('"') ? token : undefined
  }
  return duplicates
}

function noteKey(key: string, keys: Set<string> | undefined, duplicates: string[]): void {
  if (keys?.has(key)) duplicates.push(key)
  keys?.add(key)
}
