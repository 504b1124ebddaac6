import { App, Stack, Stage } from 'aws-cdk-lib'
import { CfnBucket } from 'aws-cdk-lib/aws-s3'
import { expect, test } from 'vitest'
import { REASONS, reviewStage } from '#lib/stacks/review/index.ts'
import { SHAPES, stageOf } from './support/stages.ts'

const found = Object.values(SHAPES).map((shape) => reviewStage(stageOf(shape)))

test('the AwsSolutions rules object to nothing that nobody has given a reason for', () => {
  const open = found.flat().filter(({ reason }) => reason === undefined)
  expect(open.map(({ rule, path }) => `${path}: ${rule}`)).toEqual([])
  expect(found.length).toBeGreaterThanOrEqual(7)
})

test('every reason still has a finding: what was mended needs none', () => {
  const used = new Set(found.flat().map(({ reason }) => reason))
  const idle = REASONS.filter((reason) => !used.has(reason))
  expect(idle.map(({ rule, path }) => `${rule} at ${path}`)).toEqual([])
})

test('every reason is a sentence', () => {
  for (const { reason } of REASONS) expect(reason).toMatch(/^[A-Z].{40,}\.$/)
})

test('a finding without a reason is told, and with no reasons at all each one is', () => {
  const app = new App()
  const stage = new Stage(app, 'planted')
  new CfnBucket(new Stack(stage, 'stack'), 'Open')
  app.synth()
  const findings = reviewStage(stage)
  expect(findings.map(({ rule }) => rule)).toContain('AwsSolutions-S10')
  expect(findings.every(({ reason }) => reason === undefined)).toBe(true)
  expect(reviewStage(stageOf(SHAPES['dev'] ?? expect.fail()), []).every(({ reason }) => reason === undefined)).toBe(
    true,
  )
})
