/** What lies outside of a table and is needed to make it again: types, functions, schemas, extensions and the like. */
import { z } from 'zod'

export const requiredObjectSchema = z.object({
  /** `type`, `function`, `schema`, `sequence`, `collation`, `extension`, `relation`, `operator`, `language` and the like. */
  kind: z.string(),
  schema: z.string().nullable(),
  name: z.string(),
  /** As a person and the server know it: `app.twice(integer)`. */
  identity: z.string(),
  /** True: there is no table, and no rows, without it. Else only parts that are made after the rows need it. */
  isNeededForRows: z.boolean(),
  /** Of an extension, as it was installed. */
  version: z.string().nullable(),
  /** Of an enum. */
  labels: z.array(z.string()),
  /** Statements that make it, all or none of them; null for what only an administrator can bring. */
  create: z.array(z.string()).nullable(),
  /** Owner and grants: each may fail alone. */
  finish: z.array(z.string()),
})

export type RequiredObject = z.infer<typeof requiredObjectSchema>
