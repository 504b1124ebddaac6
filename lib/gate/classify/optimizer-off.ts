/**
 * Keeps V8's optimizing compiler from WebAssembly, before the first module is compiled. For the parser's largest functions it takes some
 * 600 MiB for a while and slows the first thousands of statements down; afterwards they are an eighth faster.
 * Reasons and figures: docs/decisions/parser-memory.md
 */
import { setFlagsFromString } from 'node:v8'

for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag)
