/** 10,000 agents in front of environments of different sizes. */
import type { Scenario } from './scale-model.ts'

const BASE: Scenario = {
  name: '',
  agents: 10_000,
  thinkS: 30,
  start: 'spread',
  durationS: 120,
  api: { perSecond: 10_000, burst: 5_000 },
  maxInstances: 1_000,
  database: { maxConnections: 1_000, cores: 8 },
  records: { shards: 16, timelineShards: 4, warmWrites: 40_000 },
}

const NEW_TABLE = { ...BASE.records, warmWrites: 4_000 }

export const SCENARIOS: readonly Scenario[] = [
  {
    ...BASE,
    name: 'think 30 s, 500/s and 20 instances',
    api: { perSecond: 500, burst: 1_000 },
    maxInstances: 20,
    records: NEW_TABLE,
  },
  { ...BASE, name: 'think 30 s, table new', maxInstances: 100, records: NEW_TABLE },
  { ...BASE, name: 'think 30 s, table warm', maxInstances: 100 },
  { ...BASE, name: 'think 10 s', thinkS: 10, maxInstances: 200 },
  { ...BASE, name: 'think 5.5 s', thinkS: 5.5, maxInstances: 400 },
  {
    ...BASE,
    name: 'think 5.5 s, ledger over 4 partitions',
    thinkS: 5.5,
    maxInstances: 400,
    records: { ...BASE.records, shards: 4 },
  },
  { ...BASE, name: 'think 3 s: past the limits', thinkS: 3, maxInstances: 1_000 },
  {
    ...BASE,
    name: 'all at once, 1,000 instances, 200 connections',
    start: 'at-once',
    database: { maxConnections: 200, cores: 8 },
  },
  {
    ...BASE,
    name: 'all at once, 190 instances, 200 connections',
    start: 'at-once',
    maxInstances: 190,
    database: { maxConnections: 200, cores: 8 },
  },
]
