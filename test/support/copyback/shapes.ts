/** Tables of every shape that the way back has to cope with. */
import type { Shape } from './model.ts'

const PLACE = (schema: string, name: string) => ({ schema, name })
const ROWS = 'generate_series(1, 24) i'

/** The usual handles of a table with a text column `note` and an integer key `id`. */
function usual(name: string, seed: string, more: Partial<Shape> = {}): Shape {
  const relation = more.relation ?? PLACE('public', 'item')
  const table = `"${relation.schema.replaceAll('"', '""')}"."${relation.name.replaceAll('"', '""')}"`
  return {
    name,
    relation,
    seed,
    key: ['id'],
    value: { column: 'note', wrong: `'wrong'`, wrongType: 'varchar(2) USING left(note, 2)' },
    moveKey: 'id = id + 1000',
    add: `INSERT INTO ${table} (id, note) VALUES (5000, 'added')`,
    ...more,
  }
}

const FILL = `INSERT INTO item (id, note, amount) SELECT i, 'note ' || i, i * 1.25 FROM ${ROWS}`
const ITEM = 'CREATE TABLE item (id integer PRIMARY KEY, note text NOT NULL, amount numeric(10,2) DEFAULT 0)'
const LONG = `t${'ä'.repeat(31)}`

/** Indexes of partitions that follow one of the whole table get other names, and the plan says so. */
const NEW_INDEX_NAMES = ['partitions']

export const SHAPES: readonly Shape[] = [
  usual('plain key', `${ITEM}; ${FILL}`),
  usual(
    'composite key',
    `CREATE TABLE item (region text, id integer, note text, amount numeric, CONSTRAINT two_parts PRIMARY KEY (id, region));
     INSERT INTO item SELECT 'r' || i % 3, i, 'note ' || i, i FROM ${ROWS}`,
    { key: ['id', 'region'], add: `INSERT INTO item VALUES ('r9', 5000, 'added', 1)` },
  ),
  usual(
    'no key',
    `CREATE TABLE item (id integer, note text, amount numeric);
     INSERT INTO item SELECT i, 'note ' || i % 5, NULL FROM ${ROWS}; INSERT INTO item SELECT 1, 'twin', 1 FROM generate_series(1, 3)`,
    { key: [], moveKey: { why: 'there is no key' } },
  ),
  usual(
    'identity always',
    `CREATE TABLE item (id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10) PRIMARY KEY, note text, amount numeric);
     INSERT INTO item (note, amount) SELECT 'note ' || i, i FROM ${ROWS}`,
    {
      moveKey: { why: 'the server refuses to set an identity column that is always generated' },
      add: `INSERT INTO item (note) VALUES ('added')`,
      next: { insert: `INSERT INTO item (note) VALUES ('next')`, column: 'id' },
    },
  ),
  usual(
    'serial',
    `CREATE TABLE item (id serial PRIMARY KEY, note text, amount numeric);
     INSERT INTO item (note, amount) SELECT 'note ' || i, i FROM ${ROWS}`,
    {
      add: `INSERT INTO item (note) VALUES ('added')`,
      next: { insert: `INSERT INTO item (note) VALUES ('next')`, column: 'id' },
    },
  ),
  usual(
    'generated column',
    `CREATE TABLE item (id integer PRIMARY KEY, note text, amount numeric, double numeric GENERATED ALWAYS AS (amount * 2) STORED);
     INSERT INTO item (id, note, amount) SELECT i, 'note ' || i, i FROM ${ROWS}`,
    {
      value: { column: 'amount', wrong: '-1', wrongType: 'numeric(3,0)' },
      not: {
        'ALTER COLUMN TYPE that loses data': 'the server refuses it for a column that a generated one reads',
      },
    },
  ),
  usual(
    'reserved and mixed-case names',
    `CREATE TABLE "Order" ("select" integer CONSTRAINT "Order_pk" PRIMARY KEY, "From" text NOT NULL DEFAULT 'it''s', "Order" json);
     CREATE INDEX "by From" ON "Order" ("From"); COMMENT ON COLUMN "Order"."From" IS 'from whom';
     INSERT INTO "Order" SELECT i, 'from ' || i, json_build_object('i', i) FROM ${ROWS}`,
    {
      relation: PLACE('public', 'Order'),
      key: ['"select"'],
      value: { column: '"From"', wrong: `'wrong'`, wrongType: 'varchar(2) USING left("From", 2)' },
      moveKey: '"select" = "select" + 1000',
      add: `INSERT INTO "Order" VALUES (5000, 'added', NULL)`,
    },
  ),
  usual(
    'spaces, quotes and unicode in names',
    `CREATE SCHEMA "my ""shop"""; CREATE TABLE "my ""shop"""."o'clock 東京 ""x""" ("a ""key""" serial PRIMARY KEY, "wért'h; --" text);
     INSERT INTO "my ""shop"""."o'clock 東京 ""x""" ("wért'h; --") SELECT 'v' || i FROM ${ROWS}`,
    {
      relation: PLACE('my "shop"', 'o\'clock 東京 "x"'),
      key: ['"a ""key"""'],
      value: { column: `"wért'h; --"`, wrong: `'wrong'`, wrongType: `varchar(2) USING left("wért'h; --", 2)` },
      moveKey: '"a ""key""" = "a ""key""" + 1000',
      add: `INSERT INTO "my ""shop"""."o'clock 東京 ""x""" ("wért'h; --") VALUES ('added')`,
      next: {
        insert: `INSERT INTO "my ""shop"""."o'clock 東京 ""x""" ("wért'h; --") VALUES ('next')`,
        column: '"a ""key"""',
      },
    },
  ),
  usual(
    'a name of 63 bytes',
    `CREATE TABLE "${LONG}" (id serial PRIMARY KEY, note text, UNIQUE (note)); CREATE INDEX ON "${LONG}" (note, id);
     INSERT INTO "${LONG}" (note) SELECT 'note ' || i FROM ${ROWS}`,
    {
      relation: PLACE('public', LONG),
      add: `INSERT INTO "${LONG}" (note) VALUES ('added')`,
      next: { insert: `INSERT INTO "${LONG}" (note) VALUES ('next')`, column: 'id' },
      value: { column: 'note', wrong: `'wrong ' || id`, wrongType: 'varchar(7) USING right(note, 7)' },
    },
  ),
  usual(
    'another schema and owner, with grants',
    `CREATE SCHEMA "Sales"; CREATE TABLE "Sales".item (id integer PRIMARY KEY, note text, amount numeric);
     INSERT INTO "Sales".item SELECT i, 'note ' || i, i FROM ${ROWS};
     GRANT USAGE ON SCHEMA "Sales" TO ROLE_A; GRANT SELECT, UPDATE ON "Sales".item TO ROLE_A WITH GRANT OPTION;
     GRANT INSERT (id) ON "Sales".item TO PUBLIC; ALTER TABLE "Sales".item OWNER TO ROLE_B; COMMENT ON TABLE "Sales".item IS 'items'`,
    { relation: PLACE('Sales', 'item') },
  ),
  usual(
    'a foreign key to itself',
    `CREATE TABLE item (id integer PRIMARY KEY, note text, up integer REFERENCES item);
     INSERT INTO item SELECT i, 'note ' || i, CASE WHEN i > 20 THEN 1 WHEN i > 1 THEN i - 1 END FROM ${ROWS}`,
    { deletable: 'id > 20', moveKey: { why: 'the foreign key holds the keys' } },
  ),
  usual(
    'foreign keys pointing in, and a view',
    `${ITEM}; ${FILL}; CREATE TABLE line (id integer PRIMARY KEY, item integer REFERENCES item ON DELETE CASCADE);
     CREATE TABLE pair (a integer, b integer, CONSTRAINT to_item FOREIGN KEY (a) REFERENCES item ON UPDATE CASCADE);
     INSERT INTO line SELECT i, i % 10 + 1 FROM ${ROWS}; INSERT INTO pair SELECT i % 5 + 1, i FROM ${ROWS}`,
    {
      deletable: 'id > 10',
      moveKey: { why: 'a foreign key without ON UPDATE holds the keys' },
      others: [PLACE('public', 'line'), PLACE('public', 'pair')],
    },
  ),
  usual(
    'foreign keys in a circle',
    `CREATE TABLE item (id integer PRIMARY KEY, note text, best integer);
     CREATE TABLE offer (id integer PRIMARY KEY, item integer REFERENCES item DEFERRABLE INITIALLY DEFERRED);
     ALTER TABLE item ADD CONSTRAINT best_offer FOREIGN KEY (best) REFERENCES offer DEFERRABLE;
     INSERT INTO item SELECT i, 'note ' || i, NULL FROM ${ROWS}; INSERT INTO offer SELECT i, i FROM generate_series(1, 12) i;
     UPDATE item SET best = id WHERE id <= 12`,
    {
      deletable: 'id > 12',
      moveKey: { why: 'the foreign key holds the keys' },
      others: [PLACE('public', 'offer')],
      not: {
        'TRUNCATE … CASCADE': 'rows of two tables that need each other come back together: by a set, not by a table',
      },
    },
  ),
  usual(
    'deferrable constraints',
    `CREATE TABLE box (id integer PRIMARY KEY); INSERT INTO box SELECT i FROM ${ROWS};
     CREATE TABLE item (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, note text, place integer UNIQUE DEFERRABLE,
       box integer REFERENCES box DEFERRABLE INITIALLY DEFERRED);
     INSERT INTO item SELECT i, 'note ' || i, i, i FROM ${ROWS}`,
  ),
  usual(
    'row-level security, forced',
    `${ITEM}; ${FILL}; ALTER TABLE item OWNER TO ROLE_B; CREATE POLICY few ON item USING (id < 5) WITH CHECK (id < 5);
     ALTER TABLE item ENABLE ROW LEVEL SECURITY; ALTER TABLE item FORCE ROW LEVEL SECURITY`,
  ),
  usual(
    'triggers that change rows and write elsewhere',
    `${ITEM}; CREATE TABLE log (at timestamptz DEFAULT now(), what text);
     CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.note := upper(new.note); RETURN new; END $$;
     CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log (what) VALUES (tg_op); RETURN NULL; END $$;
     ${FILL}; CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON item FOR EACH ROW EXECUTE FUNCTION shout();
     CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON item FOR EACH ROW EXECUTE FUNCTION tell();
     CREATE TRIGGER emptied AFTER TRUNCATE ON item EXECUTE FUNCTION tell();
     CREATE TRIGGER always AFTER UPDATE ON item FOR EACH ROW EXECUTE FUNCTION tell(); ALTER TABLE item ENABLE ALWAYS TRIGGER always;
     CREATE TRIGGER off AFTER UPDATE ON item FOR EACH ROW EXECUTE FUNCTION tell(); ALTER TABLE item DISABLE TRIGGER off`,
  ),
  usual(
    'rules that send writes elsewhere',
    `${ITEM}; ${FILL}; CREATE TABLE shadow (id integer);
     CREATE RULE tell AS ON UPDATE TO item DO ALSO INSERT INTO shadow VALUES (new.id);
     CREATE RULE swallow AS ON INSERT TO item WHERE new.id < 100 DO INSTEAD INSERT INTO shadow VALUES (new.id)`,
  ),
  usual(
    'a parent by inheritance',
    `CREATE TABLE item (id integer PRIMARY KEY, note text); CREATE TABLE special (extra text) INHERITS (item);
     INSERT INTO item SELECT i, 'note ' || i FROM ${ROWS}; INSERT INTO special SELECT 100 + i, 'special ' || i, 'x' FROM ${ROWS}`,
    {
      others: [PLACE('public', 'special')],
      // NOT NULL that came with the parent is the child's own while it stands alone, and stays so.
      differs: {
        'DROP … CASCADE': ['constraints'],
        'DROP, recreated empty and alike': ['constraints'],
        'DROP, recreated empty and otherwise': ['constraints'],
      },
      not: {
        TRUNCATE: 'the same as with CASCADE: the tables that inherit are emptied too',
        'DROP COLUMN': 'it goes from the tables that inherit as well, and comes back there without its values',
        'DROP COLUMN of the key':
          'it goes from the tables that inherit as well, and comes back there without its values',
      },
    },
  ),
  usual(
    'a child by inheritance',
    `CREATE TABLE base (id integer NOT NULL, note text); CREATE TABLE item (extra text, PRIMARY KEY (id)) INHERITS (base);
     INSERT INTO base SELECT 100 + i, 'base ' || i FROM ${ROWS}; INSERT INTO item SELECT i, 'note ' || i, 'x' FROM ${ROWS}`,
    {
      not: {
        'DROP COLUMN': 'the server refuses it: the column is inherited',
        'DROP COLUMN of the key': 'the server refuses it: the column is inherited',
        'ALTER COLUMN TYPE that loses data': 'the server refuses it: the column is inherited',
        'RENAME of a column': 'the server refuses it: the column is inherited',
      },
    },
  ),
  usual(
    'a partitioned table',
    `CREATE TABLE item (id integer, note text, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
     CREATE TABLE item_1 PARTITION OF item FOR VALUES FROM ('2026-01-01') TO ('2026-01-11');
     CREATE TABLE item_2 PARTITION OF item DEFAULT;
     INSERT INTO item SELECT i, 'note ' || i, date '2026-01-01' + i FROM ${ROWS}`,
    {
      key: ['id', 'day'],
      add: `INSERT INTO item VALUES (5000, 'added', '2026-01-05')`,
      differs: {
        'DROP … CASCADE': NEW_INDEX_NAMES,
        'DROP, recreated empty and alike': NEW_INDEX_NAMES,
        'DROP, recreated empty and otherwise': NEW_INDEX_NAMES,
        // Columns that come back are the last ones of each partition.
        'DROP COLUMN': ['partitions'],
        'DROP COLUMN of the key': ['partitions'],
      },
    },
  ),
  usual(
    'a partition',
    `CREATE TABLE whole (id integer, note text, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
     CREATE TABLE item PARTITION OF whole FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
     CREATE TABLE rest PARTITION OF whole DEFAULT; CREATE INDEX by_note ON whole (note);
     INSERT INTO whole SELECT i, 'note ' || i, date '2026-01-30' - i FROM ${ROWS}`,
    {
      key: ['id', 'day'],
      add: `INSERT INTO item VALUES (5000, 'added', '2026-01-05')`,
      not: {
        'DROP COLUMN': 'the server refuses it: the column is inherited',
        'DROP COLUMN of the key': 'the server refuses it: the column is inherited',
        'ALTER COLUMN TYPE that loses data': 'the server refuses it: the column is inherited',
        'RENAME of a column': 'the server refuses it: the column is inherited',
      },
    },
  ),
  usual('unlogged', `${ITEM.replace('TABLE', 'UNLOGGED TABLE')}; ${FILL}`),
  usual(
    'a column with the name of the table',
    `CREATE TABLE item (item integer PRIMARY KEY, o text, r text, t integer);
     INSERT INTO item SELECT i, 'o' || i, 'r' || i, i FROM ${ROWS}`,
    {
      key: ['item'],
      value: { column: 'o', wrong: `'wrong'`, wrongType: 'varchar(1) USING left(o, 1)' },
      moveKey: 'item = item + 1000',
      add: `INSERT INTO item VALUES (5000, 'added', 'x', 1)`,
    },
  ),
  usual(
    'unique indexes, checks and an exclusion',
    `CREATE TABLE item (id integer PRIMARY KEY, note text NOT NULL UNIQUE, amount numeric CHECK (amount > 0), span int4range,
       EXCLUDE USING gist (span WITH &&)); CREATE UNIQUE INDEX low ON item (lower(note)) INCLUDE (amount) WHERE id > 3;
     INSERT INTO item SELECT i, 'note ' || i, i, int4range(i * 10, i * 10 + 5) FROM ${ROWS}`,
    {
      value: { column: 'note', wrong: `'wrong ' || id`, wrongType: 'varchar(7) USING right(note, 7)' },
      add: `INSERT INTO item VALUES (5000, 'added', 1, NULL)`,
    },
  ),
]
