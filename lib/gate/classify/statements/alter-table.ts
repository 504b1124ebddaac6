/** ALTER TABLE and its relatives, one decision per subcommand. */
import type {
  AlterTableCmd,
  AlterTableMoveAllStmt,
  AlterTableStmt,
  AlterTableType,
  PartitionCmd,
  RangeVar,
} from 'libpg-query'
import { isAtLeast, maxRisk, type RiskLevel } from '#lib/kernel/index.ts'
import { addColumn, addTarget, raise, type Walk } from '../facts.ts'
import type { Recoverability } from '../model.ts'
import { type Fields, fieldsOf, relationOf, textsOf } from '../tree/node.ts'
import { onKind, visitKind } from '../walk.ts'
import { entry, type Judgement } from './entry.ts'
import { objectKindOf, objectWords } from './object-names.ts'

export interface SubcommandRule {
  readonly level: RiskLevel
  readonly recoverability: Recoverability
  readonly why: string
}

const additive = (why: string): SubcommandRule => ({ level: 'HIGH', recoverability: 'nothing-lost', why })
const critical = (why: string): SubcommandRule => ({ level: 'CRITICAL', recoverability: 'nothing-lost', why })
const losing = (why: string): SubcommandRule => ({ level: 'CRITICAL', recoverability: 'tables', why })
const internal = critical('only the server makes this subcommand')

/** Every subcommand that the grammar has. */
export const SUBCOMMAND_RULES: Readonly<Record<AlterTableType, SubcommandRule>> = {
  AT_AddColumn: additive('adds a column'),
  AT_AddColumnToView: internal,
  AT_ColumnDefault: additive('changes a default'),
  AT_CookedColumnDefault: internal,
  AT_DropNotNull: additive('allows NULL'),
  AT_SetNotNull: additive('forbids NULL'),
  AT_SetExpression: losing('computes a generated column anew'),
  AT_DropExpression: additive('makes a generated column a plain one'),
  AT_SetStatistics: additive('changes a statistics target'),
  AT_SetOptions: additive('changes column options'),
  AT_ResetOptions: additive('changes column options'),
  AT_SetStorage: additive('changes how a column is stored'),
  AT_SetCompression: additive('changes how a column is compressed'),
  AT_DropColumn: losing('a column and its values are gone'),
  AT_AddIndex: additive('adds an index'),
  AT_ReAddIndex: internal,
  AT_AddConstraint: additive('adds a constraint'),
  AT_ReAddConstraint: internal,
  AT_ReAddDomainConstraint: internal,
  AT_AlterConstraint: additive('changes a constraint'),
  AT_ValidateConstraint: additive('validates a constraint'),
  AT_AddIndexConstraint: additive('makes an index a constraint'),
  AT_DropConstraint: { level: 'HIGH', recoverability: 'tables', why: 'a constraint no longer guards the rows' },
  AT_ReAddComment: internal,
  AT_AlterColumnType: losing('values are converted to another type'),
  AT_AlterColumnGenericOptions: additive('changes column options'),
  AT_ChangeOwner: additive('changes the owner'),
  AT_ClusterOn: additive('marks an index for CLUSTER'),
  AT_DropCluster: additive('unmarks an index for CLUSTER'),
  AT_SetLogged: additive('rewrites the table as logged'),
  AT_SetUnLogged: losing('a crash empties an unlogged table, and replicas lose it at once'),
  AT_DropOids: additive('does nothing since PostgreSQL 12'),
  AT_SetAccessMethod: additive('rewrites the table in another format'),
  AT_SetTableSpace: additive('moves the table'),
  AT_SetRelOptions: additive('changes storage options'),
  AT_ResetRelOptions: additive('changes storage options'),
  AT_ReplaceRelOptions: internal,
  AT_EnableTrig: additive('enables a trigger'),
  AT_EnableAlwaysTrig: additive('enables a trigger'),
  AT_EnableReplicaTrig: critical('the trigger no longer fires for ordinary writes'),
  AT_DisableTrig: critical('the trigger no longer fires'),
  AT_EnableTrigAll: additive('enables the triggers'),
  AT_DisableTrigAll: critical('triggers and foreign keys no longer guard the rows'),
  AT_EnableTrigUser: additive('enables the triggers'),
  AT_DisableTrigUser: critical('triggers no longer fire'),
  AT_EnableRule: critical('a rule rewrites later statements'),
  AT_EnableAlwaysRule: critical('a rule rewrites later statements'),
  AT_EnableReplicaRule: critical('a rule changes when it applies'),
  AT_DisableRule: critical('a rule no longer applies'),
  AT_AddInherit: additive('adds a parent'),
  AT_DropInherit: critical('its rows are no longer part of the parent'),
  AT_AddOf: additive('ties the table to a type'),
  AT_DropOf: additive('unties the table from a type'),
  AT_ReplicaIdentity: additive('changes what replication sends'),
  AT_EnableRowSecurity: additive('row-level security applies'),
  AT_DisableRowSecurity: critical('row-level security no longer applies'),
  AT_ForceRowSecurity: additive('row-level security applies to the owner too'),
  AT_NoForceRowSecurity: critical('row-level security no longer applies to the owner'),
  AT_GenericOptions: additive('changes options of a foreign table'),
  AT_AttachPartition: additive('adds a partition'),
  AT_DetachPartition: critical('its rows are no longer part of the table'),
  AT_DetachPartitionFinalize: critical('its rows are no longer part of the table'),
  AT_AddIdentity: additive('makes a column an identity'),
  AT_SetIdentity: additive('changes an identity'),
  AT_DropIdentity: additive('makes an identity a plain column'),
  AT_ReAddStatistics: internal,
}

const UNKNOWN = critical('this subcommand is not known')
/** Subcommands that take values or rows away. */
const DESTRUCTIVE = new Set<string>(['AT_DropColumn', 'AT_AlterColumnType', 'AT_SetExpression', 'AT_SetUnLogged'])

export const ALTER_TABLE_STATEMENTS = {
  AlterTableStmt: entry<AlterTableStmt>('HIGH', 'ALTER TABLE', 'changes a table', {
    targets: 'the table, index, view, sequence or type as `alter`; a partition that is attached or detached too',
    details:
      'by subcommand, see below; CASCADE is always CRITICAL; DETACH PARTITION CONCURRENTLY runs outside a transaction',
    judge: judgeAlter,
    owned: ['relation'],
  }),
  AlterTableMoveAllStmt: entry<AlterTableMoveAllStmt>(
    'HIGH',
    'ALTER TABLE ALL IN TABLESPACE',
    'moves many tables at once',
    {
      targets: 'none by name',
    },
  ),
}

onKind<PartitionCmd>('PartitionCmd', ({ name, bound }, walk) => {
  if (name !== undefined) addTarget(walk, relationOf(name), 'alter')
  if (bound !== undefined) visitKind('PartitionBoundSpec', bound as Fields, walk)
})

function judgeAlter(alter: AlterTableStmt, walk: Walk): Judgement {
  const operation = `ALTER ${objectWords(alter.objtype)}`
  const commands = (alter.cmds ?? []).map((node) => fieldsOf(node, 'AlterTableCmd')).filter((cmd) => cmd !== undefined)
  const rules = commands.map((command) => [command, ruleOf(command)] as const)
  for (const [command, rule] of rules) noteCommand(command, rule, operation, alter.relation ?? {}, walk)
  addTarget(walk, relationOf(alter.relation ?? {}), 'alter', {
    objectKind: objectKindOf(alter.objtype),
    isDestructive: rules.some(([command, rule]) => isDestructive(command, rule)),
    isCascade: commands.some(({ behavior }) => behavior === 'DROP_CASCADE'),
    isOnly: alter.relation?.inh !== true,
  })
  const isConcurrent = commands.some(({ def }) => fieldsOf(def, 'PartitionCmd')?.concurrent === true)
  return {
    operation,
    level: rules.reduce<RiskLevel>((level, [, rule]) => maxRisk(level, rule.level), 'HIGH'),
    code: operation.toLowerCase().replaceAll(' ', '-'),
    message: `${operation}: ${rules.map(([, rule]) => rule.why).join(', ')}`,
    recoverability: rules.some(([, rule]) => rule.recoverability === 'tables') ? 'tables' : 'nothing-lost',
    transaction: isConcurrent ? 'outside' : 'write',
  }
}

function isDestructive({ subtype }: AlterTableCmd, { recoverability }: SubcommandRule): boolean {
  return recoverability !== 'nothing-lost' && DESTRUCTIVE.has(subtype ?? '')
}

function ruleOf(command: AlterTableCmd): SubcommandRule {
  const rule = command.subtype === undefined ? UNKNOWN : (SUBCOMMAND_RULES[command.subtype] ?? UNKNOWN)
  return command.subtype === 'AT_AlterColumnType' && isWidening(command)
    ? { level: 'HIGH', recoverability: 'nothing-lost', why: 'turns a column into unlimited text' }
    : rule
}

/** Every value has a text form that is kept whole; a USING expression could say anything. */
function isWidening(command: AlterTableCmd): boolean {
  const column = fieldsOf(command.def, 'ColumnDef')
  const type = column?.typeName
  const name = textsOf(type?.names).at(-1) ?? ''
  const isText = name === 'text' || (name === 'varchar' && type?.typmods === undefined)
  return isText && type?.arrayBounds === undefined && column?.raw_default === undefined
}

const COLUMN_SUBCOMMANDS = new Set([
  'AT_AddColumn',
  'AT_DropColumn',
  'AT_AlterColumnType',
  'AT_ColumnDefault',
  'AT_SetExpression',
])

function noteCommand(
  command: AlterTableCmd,
  rule: SubcommandRule,
  operation: string,
  table: RangeVar,
  walk: Walk,
): void {
  const subtype = command.subtype ?? ''
  if (isAtLeast(rule.level, 'CRITICAL')) {
    const code = subtype
      .replace(/^AT_/, '')
      .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-')
      .toLowerCase()
    raise(walk, code, rule.level, `${operation}: ${rule.why}`)
  }
  if (command.behavior === 'DROP_CASCADE') {
    raise(walk, 'cascade', 'CRITICAL', 'CASCADE removes whatever depends on it, named nowhere in the statement')
  }
  if (!COLUMN_SUBCOMMANDS.has(subtype)) return
  const name = command.name ?? fieldsOf(command.def, 'ColumnDef')?.colname
  if (name !== undefined) addColumn(walk, name, 'write', relationOf(table))
}
