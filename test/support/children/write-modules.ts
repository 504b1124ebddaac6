/** Loaded before a program: writes down each module that it and its threads load, one URL a line. */
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import process from 'node:process'

const path = process.env['MODULES_FILE'] as string

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(path, `${url}\n`)
    return nextLoad(url, context)
  },
})
