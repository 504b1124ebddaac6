#!/usr/bin/env node
/** The `backstop` command for any Node: hands its arguments to `bin/backstop.ts` on the pinned Node. */
import process from 'node:process'

process.argv.splice(2, 0, 'bin/backstop.ts')
await import('./start.js')
