/** One local cloud for a whole test run; every test makes resources of its own in it. */
import type { TestProject } from 'vitest/node'
import { type Ministack, startMinistack } from '../../localstack/ministack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    cloudEndpoint: string
  }
}

let running: Promise<Ministack> | undefined
let users = 0

export default async function setup(project: TestProject) {
  running ??= startMinistack({ port: 0 })
  const cloud = await running
  users++
  project.provide('cloudEndpoint', cloud.endpoint)
  return async () => {
    users--
    if (users === 0) await cloud.stop()
  }
}
