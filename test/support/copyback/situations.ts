/** What happens to a table between the snapshot and the way back. */
import { quoteIdentifier } from '#lib/kernel/index.ts'
import type { NotApplicable, Shape, Situation } from './model.ts'

const setWrong = ({ value }: Shape) => `${value.column} = ${value.wrong}`
const isPartition = ({ not }: Shape, name: string): NotApplicable | undefined => {
  const why = not?.[name]
  return why === undefined ? undefined : { why }
}

function situation(
  name: string,
  expects: Situation['expects'],
  damage: (shape: Shape, table: string) => string | NotApplicable,
  policy?: Situation['policy'],
): Situation {
  return {
    name,
    expects,
    damage: (shape, table) => isPartition(shape, name) ?? damage(shape, table),
    ...(policy === undefined ? {} : { policy }),
  }
}

export const SITUATIONS: readonly Situation[] = [
  situation('DROP … CASCADE', 'exact', (_, table) => `DROP TABLE ${table} CASCADE`),
  situation(
    'DROP, recreated empty and alike',
    'exact',
    (shape, table) => `
      CREATE TABLE public.like_it (LIKE ${table} INCLUDING ALL);
      DROP TABLE ${table} CASCADE;
      ALTER TABLE public.like_it RENAME TO ${quoteIdentifier(shape.relation.name)};
      ${shape.relation.schema === 'public' ? '' : `ALTER TABLE public.${quoteIdentifier(shape.relation.name)} SET SCHEMA ${quoteIdentifier(shape.relation.schema)}`}`,
  ),
  situation(
    'DROP, recreated empty and otherwise',
    'exact',
    (_, table) => `DROP TABLE ${table} CASCADE; CREATE TABLE ${table} (something integer NOT NULL, other text)`,
  ),
  situation('TRUNCATE', 'exact', (shape, table) =>
    shape.others === undefined ? `TRUNCATE ${table}` : { why: 'foreign keys point in: the server refuses it' },
  ),
  situation('TRUNCATE … CASCADE', 'exact', (_, table) => `TRUNCATE ${table} RESTART IDENTITY CASCADE`),
  situation('UPDATE of every row', 'exact', (shape, table) => `UPDATE ${table} SET ${setWrong(shape)}`),
  situation('UPDATE of every key', 'exact', (shape, table) =>
    typeof shape.moveKey === 'string' ? `UPDATE ${table} SET ${shape.moveKey}` : shape.moveKey,
  ),
  situation('UPDATE of keys and values', 'exact', (shape, table) =>
    typeof shape.moveKey === 'string' ? `UPDATE ${table} SET ${shape.moveKey}, ${setWrong(shape)}` : shape.moveKey,
  ),
  situation('DELETE', 'exact', (shape, table) => `DELETE FROM ${table} WHERE ${shape.deletable ?? 'true'}`),
  situation(
    'damage among good changes, overwrite',
    'kept',
    (shape, table) => `UPDATE ${table} SET ${setWrong(shape)} WHERE ${shape.deletable ?? 'true'}; ${shape.add}`,
    'overwrite',
  ),
  situation(
    'damage among good changes, skip',
    'skipped',
    (shape, table) =>
      `DELETE FROM ${table} WHERE (tableoid, ctid) IN (SELECT tableoid, ctid FROM ${table} WHERE ${shape.deletable ?? 'true'} LIMIT 2);
       UPDATE ${table} SET ${setWrong(shape)} WHERE (tableoid, ctid) IN (SELECT tableoid, ctid FROM ${table} WHERE ${shape.deletable ?? 'true'} LIMIT 2);
       ${shape.add}`,
    'skip',
  ),
  situation(
    'good changes, fail',
    'refused',
    (shape, table) =>
      shape.key.length === 0
        ? { why: 'without a key a changed row is a lost one and a new one' }
        : `UPDATE ${table} SET ${setWrong(shape)}`,
    'fail',
  ),
  situation('DROP COLUMN', 'exact', (shape, table) => `ALTER TABLE ${table} DROP COLUMN ${shape.value.column} CASCADE`),
  situation('DROP COLUMN of the key', 'exact', (shape, table) =>
    shape.key.length === 0
      ? { why: 'there is no key' }
      : `ALTER TABLE ${table} DROP COLUMN ${shape.key[0] ?? ''} CASCADE`,
  ),
  situation(
    'ALTER COLUMN TYPE that loses data',
    'exact',
    (shape, table) => `ALTER TABLE ${table} ALTER COLUMN ${shape.value.column} TYPE ${shape.value.wrongType}`,
  ),
  situation('RENAME of the table', 'exact', (_, table) => `ALTER TABLE ${table} RENAME TO moved_away`),
  situation(
    'RENAME of a column',
    'exact',
    (shape, table) => `ALTER TABLE ${table} RENAME COLUMN ${shape.value.column} TO other_name`,
  ),
]
