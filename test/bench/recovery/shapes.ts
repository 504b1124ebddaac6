/** The tables of the contest: one of numbers, one of texts and documents. */
export interface Shape {
  readonly name: string
  readonly what: string
  seed(rowCount: number): readonly string[]
}

const FINISH = ['ALTER TABLE big ADD PRIMARY KEY (id)', 'VACUUM ANALYZE big', 'CHECKPOINT']

const NARROW: Shape = {
  name: 'narrow',
  what: 'nine columns of numbers and times',
  seed: (rowCount) => [
    `CREATE TABLE big (id bigint, customer integer, quantity integer, points bigint, price numeric(12,2),
       ratio double precision, is_active boolean, day date, created_at timestamptz)`,
    `INSERT INTO big SELECT i, hashint8(i) % 100000, i % 17, hashint8extended(i, 7), (hashint8(i) % 1000000) / 100.0,
       sqrt(i), i % 3 = 0, date '2020-01-01' + (i % 2000)::int, timestamptz '2024-01-01 00:00+00' + i * interval '1.37 seconds'
       FROM generate_series(1, ${rowCount}::bigint) i`,
    ...FINISH,
  ],
}

const WIDE: Shape = {
  name: 'wide',
  what: 'texts of 30 to 200 characters and a jsonb document',
  seed: (rowCount) => [
    'CREATE TABLE big (id bigint, email text, title text, body text, document jsonb, created_at timestamptz)',
    `INSERT INTO big SELECT i, 'person' || i || '@example.org', 'Order ' || md5(i::text),
       repeat('the parcel ' || md5((i * 7)::text) || ' was left at the door ', 1 + (i % 3)::int),
       jsonb_build_object('customer', i % 100000, 'state', (ARRAY['open', 'paid', 'sent'])[1 + i % 3], 'note', md5((i * 3)::text),
         'lines', jsonb_build_array(i % 7, i % 11, i % 13)),
       timestamptz '2024-01-01 00:00+00' + i * interval '1.37 seconds'
       FROM generate_series(1, ${rowCount}::bigint) i`,
    ...FINISH,
  ],
}

export const SHAPES: readonly Shape[] = [NARROW, WIDE]
