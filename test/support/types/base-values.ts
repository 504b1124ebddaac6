/** SQL expressions of values for each built-in base type: the edges first, then whatever the generator finds. */
import fc from 'fast-check'
import { quoteLiteral } from '#lib/kernel/index.ts'

export interface BaseValues {
  /** Expressions that give the type by a cast. */
  readonly edges: readonly string[]
  readonly random: fc.Arbitrary<string>
}

const quoted = (...texts: string[]) => texts.map(quoteLiteral)
const literal = (values: fc.Arbitrary<string>) => values.map(quoteLiteral)
const bigs = (from: bigint, to: bigint) => fc.bigInt(from, to).map(String)
const signed = (bits: bigint) => bigs(-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n)
const floating = (values: fc.Arbitrary<number>) => values.map((value) => (Object.is(value, -0) ? '-0' : String(value)))
const double = floating(fc.double())
const single = floating(fc.float())
const hex = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((value) => Buffer.from(value).toString('hex'))

/** Of every class of code points: controls, blanks, marks, right-to-left, private use, beyond the first plane, the last one. */
const CODE_POINTS =
  '\u0001\t\n\r\u001f \u007f\u0085\u00a0\u00ad\u0301\u05d0\u0627\u200b\u200f\u202e\u2028\ud7ff\ue000\ufdd0\ufeff\ufffd\uffff' +
  String.fromCodePoint(0x1_0000, 0x1_f986, 0xe_0001, 0xf_0000, 0x10_ffff)
const anyText = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 24 }),
    fc.string({ unit: 'grapheme', maxLength: 24 }),
    fc.string({ unit: fc.constantFrom(...CODE_POINTS, ...`"'\\,{}()[]%$ NUL`), maxLength: 16 }),
  )
  .map((value) => value.replaceAll('\0', ''))
const TEXTS = quoted('', ' ', 'NULL', '  blanks  ', `'"\\,{}()%s%%$1`, 'ß İ ﬁ', CODE_POINTS, 'x'.repeat(3_000))
const text: BaseValues = { edges: TEXTS, random: literal(anyText) }

const JSON_EDGES = quoted(
  '{"b": 1,  "a":2, "a" : 3 }',
  ' null ',
  '"\\u00e9\\ud83d\\udc1f\\\\"',
  '[ ]',
  '{"":{"":[1,1.0,1.00,1e5,-0.0]}}',
  `[${'9'.repeat(400)},1e-300]`,
  `{"k":"${[...CODE_POINTS].filter((point) => point >= ' ').join('')}"}`,
)
const json = fc
  .tuple(fc.json({ noUnicodeString: true, maxDepth: 2 }), fc.constantFrom('', ' ', '\n  ', '\t'))
  .map(([value, space]) => quoteLiteral(`${space}${value}${space}`.replaceAll('\\u0000', 'x')))

const NUMERICS = quoted(
  'NaN',
  'Infinity',
  '-Infinity',
  '0',
  '0.0000',
  '-0.10',
  '1e131071',
  '1e-16383',
  `-${'9'.repeat(1_000)}.${'8'.repeat(1_000)}`,
  '10000',
  '0.00010000',
)
const numeric = fc
  .oneof(
    fc.tuple(fc.bigInt(), fc.nat(60)).map(([value, scale]) => `${value}e-${scale}`),
    fc.tuple(fc.nat(9), fc.nat(300)).map(([value, exponent]) => `${value}e${exponent}`),
  )
  .map(quoteLiteral)

const days = fc.integer({ min: -2_451_000, max: 2_145_031_948 }).map((value) => `(date '2000-01-01' + ${value})`)
const instant = (type: string) =>
  bigs(-211_813_488_000_000_000n, 9_223_371_331_199_999_998n).map(
    (value) => `(${type} '2000-01-01 00:00+00' + '${value} microseconds'::interval)`,
  )
const INSTANTS = [
  'infinity',
  '-infinity',
  '4713-01-01 00:00:00+00 BC',
  '294276-12-31 23:59:59.999999+00',
  '294247-01-10 04:00:54.775807+00',
  '1969-12-31 23:59:59.999999+00',
  '1970-01-01 00:00:00+00',
  '2000-01-01 00:00:00+00',
]
const ZONED = [
  '1883-11-18 12:03:58 America/New_York',
  '1986-01-01 00:15 Asia/Kathmandu',
  '1971-12-31 23:59:59.5 Africa/Monrovia',
  '2024-02-29 12:00:00.000001+13:45',
  '1000-06-15 12:00:00-15:59:59',
]
const zone = fc
  .tuple(fc.constantFrom('+', '-'), fc.nat(15), fc.nat(59), fc.nat(59))
  .map(([sign, ...parts]) => `${sign}${parts.map((part) => String(part).padStart(2, '0')).join(':')}`)
const time = bigs(0n, 86_400_000_000n)
const interval = fc
  .tuple(fc.integer(), fc.integer(), bigs(-(2n ** 62n), 2n ** 62n))
  .map(([months, dayCount, microseconds]) =>
    quoteLiteral(`${months} mons ${dayCount} days ${microseconds} microseconds`),
  )

const bits = fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 90 })
const point = fc.tuple(double, double).map(([x, y]) => `(${x},${y})`)
const finite = floating(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 }))
const place = fc.tuple(finite, finite).map(([x, y]) => `(${x},${y})`)
const network = fc.oneof(
  fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, prefix]) => `${address}/${prefix}`),
  fc
    .tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(128))
    .map(([address, prefix]) => `${(Buffer.from(address).toString('hex').match(/.{4}/g) ?? []).join(':')}/${prefix}`),
)
const lexeme = fc.string({ unit: fc.constantFrom(...`ab'\\ :*&é`), minLength: 1, maxLength: 6 })
const quoteLexeme = (word: string) => `'${word.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
const tsvector = fc
  .array(
    fc.tuple(lexeme, fc.array(fc.tuple(fc.integer({ min: 1, max: 16_383 }), fc.constantFrom('', 'A', 'B', 'C')))),
    {
      maxLength: 5,
    },
  )
  .map((words) =>
    words.map(([word, at]) => `${quoteLexeme(word)}${at.length > 0 ? ':' : ''}${at.map((one) => one.join('')).join()}`),
  )
const tsquery = fc
  .array(
    fc.tuple(fc.constantFrom(' & ', ' | ', ' <-> ', ' <7> ', ' & !'), lexeme, fc.constantFrom('', ':*', ':AB', ':*D')),
    { minLength: 1, maxLength: 4 },
  )
  .map((words) =>
    words.map(([join, word, flags], index) => (index > 0 ? join : '') + quoteLexeme(word) + flags).join(''),
  )

/** A name that is there, numbers that name nothing, and both ends. */
const naming = (...names: string[]): BaseValues => ({
  edges: quoted('0', '4294967295', '4000000001', ...names),
  random: literal(fc.constantFrom(...names, '4000000002')),
})
const snapshot: BaseValues = {
  edges: quoted('10:20:10,14,15', '1:1:', '9223372036854775806:9223372036854775807:'),
  random: literal(fc.tuple(fc.nat(1_000), fc.nat(1_000)).map(([from, more]) => `${from + 1}:${from + more + 1}:`)),
}
const unsigned32: BaseValues = {
  edges: quoted('0', '4294967295', '2147483648'),
  random: literal(fc.nat(2 ** 31 - 1).map(String)),
}
const instants = (type: string, edges: readonly string[]): BaseValues => ({
  edges: quoted(...edges).map((edge) => `${type} ${edge}`),
  random: instant(type),
})
const every = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join('')

/** By pg_type.typname. */
export const BASE_VALUES: Readonly<Record<string, BaseValues>> = {
  bool: { edges: ['true', 'false'], random: fc.boolean().map(String) },
  bytea: {
    edges: quoted('\\x', `\\x${every}`, `\\x${every.repeat(20)}`),
    random: literal(fc.uint8Array({ maxLength: 60 }).map((value) => `\\x${Buffer.from(value).toString('hex')}`)),
  },
  char: {
    edges: ['0::"char"', '(-1)::"char"', `'x'`, `''`],
    random: fc.integer({ min: -128, max: 127 }).map((code) => `(${code})::"char"`),
  },
  name: { edges: quoted('', 'é'.repeat(31), 'x'.repeat(63), ' ', '"'), random: literal(anyText) },
  int2: { edges: quoted('-32768', '32767', '0'), random: literal(signed(16n)) },
  int4: { edges: quoted('-2147483648', '2147483647', '0'), random: literal(signed(32n)) },
  int8: {
    edges: quoted('-9223372036854775808', '9223372036854775807', '9007199254740993'),
    random: literal(signed(64n)),
  },
  float4: {
    edges: quoted('NaN', 'Infinity', '-Infinity', '-0', '1e-45', '-1.1754942e-38', '3.4028235e38', '0.1'),
    random: literal(single),
  },
  float8: {
    edges: quoted(
      'NaN',
      'Infinity',
      '-Infinity',
      '-0',
      '5e-324',
      '2.2250738585072009e-308',
      '1.7976931348623157e308',
      '0.1',
    ),
    random: literal(double),
  },
  numeric: { edges: NUMERICS, random: numeric },
  money: {
    edges: quoted('-92233720368547758.08', '92233720368547758.07', '0'),
    random: bigs(-(2n ** 50n), 2n ** 50n).map((value) => `(${value}::numeric / 100)::money`),
  },
  text,
  varchar: text,
  bpchar: text,
  refcursor: text,
  json: { edges: JSON_EDGES, random: json },
  jsonb: { edges: JSON_EDGES, random: json },
  jsonpath: {
    edges: quoted(
      '$',
      'strict $.a[*] ? (@.b > 1 && @.c like_regex "^x" flag "i")',
      '$."a b"[last - 1 to last]',
      '-1.5e10 + $.x.size()',
    ),
    random: literal(fc.integer().map((value) => `$.a[*] ? (@ == ${value})`)),
  },
  xml: {
    edges: quoted(
      '<?xml version="1.0" encoding="UTF-8"?><a> x </a>',
      '<?xml version="1.0" standalone="yes"?><a/>',
      '<b/>text<c/>',
      '',
      '<a><![CDATA[ <x> ]]><!-- y --><?z z?></a>',
    ),
    random: literal(
      fc.string({ unit: fc.constantFrom(...'ab é\n'), maxLength: 20 }).map((value) => `<a b="1">${value}</a>`),
    ),
  },
  date: {
    edges: quoted('infinity', '-infinity', '4713-01-01 BC', '5874897-12-31', '1970-01-01', '1969-12-31'),
    random: days,
  },
  time: {
    edges: quoted('00:00:00', '24:00:00', '23:59:59.999999'),
    random: time.map((value) => `(time '00:00' + '${value} microseconds'::interval)`),
  },
  timetz: {
    edges: quoted('00:00:00+15:59:59', '24:00:00-15:59:59', '12:34:56.789+05:30'),
    random: fc
      .tuple(fc.nat(23), fc.nat(59), fc.nat(999_999), zone)
      .map(([hour, minute, fraction, at]) => `'${hour}:${minute}:07.${String(fraction).padStart(6, '0')}${at}'`),
  },
  timestamp: instants('timestamp', INSTANTS),
  timestamptz: instants('timestamptz', [...INSTANTS, ...ZONED]),
  interval: {
    edges: quoted(
      'infinity',
      '-infinity',
      '178000000 years',
      '-178000000 years',
      '1 mon -1 day 00:00:00.000001',
      '-1 year +2 mons -3 days +04:05:06.7',
      '1 mon',
      '30 days',
      '720:00:00',
      '0',
    ),
    random: interval,
  },
  bit: { edges: [`B''`, `B'1'`, `B'${'10'.repeat(70)}'`], random: bits.map((value) => `B'${value}'`) },
  varbit: { edges: [`B''`, `B'0'`, `B'${'110'.repeat(70)}'`], random: bits.map((value) => `B'${value}'`) },
  uuid: {
    edges: quoted('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
    random: literal(fc.uuid()),
  },
  inet: { edges: quoted('192.168.1.5/24', '::1', '0.0.0.0/0', '::ffff:1.2.3.4/96'), random: literal(network) },
  cidr: {
    edges: quoted('10.0.0.0/8', '2001:db8::/32', '0.0.0.0/0'),
    random: network.map((value) => `network('${value}'::inet)`),
  },
  macaddr: { edges: quoted('00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'), random: literal(hex(6)) },
  macaddr8: { edges: quoted('00:00:00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff'), random: literal(hex(8)) },
  oid: unsigned32,
  xid: unsigned32,
  cid: unsigned32,
  xid8: { edges: quoted('0', '18446744073709551615'), random: literal(bigs(0n, 2n ** 64n - 1n)) },
  tid: {
    edges: quoted('(0,0)', '(4294967295,65535)'),
    random: literal(fc.tuple(fc.nat(2 ** 31), fc.nat(65_535)).map((at) => `(${at})`)),
  },
  pg_lsn: {
    edges: quoted('0/0', 'FFFFFFFF/FFFFFFFF'),
    random: bigs(0n, 2n ** 63n).map((value) => `('0/0'::pg_lsn + ${value}::numeric)`),
  },
  pg_snapshot: snapshot,
  txid_snapshot: snapshot,
  point: { edges: quoted('(1.1,-0)', '(NaN,Infinity)', '(5e-324,-1.7976931348623157e308)'), random: literal(point) },
  line: { edges: quoted('{1,-1,0.1}', '{0,1,-0}'), random: literal(finite.map((value) => `{1,${value},${value}}`)) },
  lseg: { edges: quoted('[(0,0),(-0,1)]'), random: literal(fc.tuple(point, point).map((ends) => `[${ends}]`)) },
  box: { edges: quoted('(1,1),(-0,0)'), random: literal(fc.tuple(place, place).map(String)) },
  path: {
    edges: quoted('[(0,0)]', '((0,0),(1,1))', '[(0,0),(NaN,1)]'),
    random: literal(
      fc
        .tuple(fc.constantFrom('[]', '()'), fc.array(point, { minLength: 1, maxLength: 4 }))
        .map(([form, at]) => `${form[0]}${at}${form[1]}`),
    ),
  },
  polygon: {
    edges: quoted('((0,0))', '((0,0),(1,1),(2,0))'),
    random: literal(fc.array(place, { minLength: 1, maxLength: 5 }).map((at) => `(${at})`)),
  },
  circle: {
    edges: quoted('<(0,0),0>', '<(-0,1.5),Infinity>'),
    random: literal(fc.tuple(point, fc.nat()).map(([at, radius]) => `<${at},${radius}>`)),
  },
  tsvector: {
    edges: quoted('', `a:1A b:2,3B 'it''s':4 'x y'`, 'a:16383'),
    random: literal(tsvector.map((words) => words.join(' '))),
  },
  tsquery: { edges: quoted('', 'a & !b | c:*', 'a <2> b', `'it''s':AB`), random: literal(tsquery) },
  int2vector: {
    edges: quoted('', '1 2 3', '-32768 32767'),
    random: literal(fc.array(signed(16n), { maxLength: 5 }).map((all) => all.join(' '))),
  },
  oidvector: {
    edges: quoted('', '1 2 4294967295'),
    random: literal(fc.array(fc.nat().map(String), { maxLength: 5 }).map((all) => all.join(' '))),
  },
  aclitem: {
    edges: [
      `makeaclitem(current_user::regrole, current_user::regrole, 'SELECT', true)`,
      `format('=r/%I', current_user)`,
    ],
    random: fc
      .constantFrom('SELECT', 'INSERT', 'USAGE', 'CREATE')
      .map((privilege) => `makeaclitem(10, 10, '${privilege}', false)`),
  },
  regproc: naming('pg_catalog.now'),
  regprocedure: naming('pg_catalog.abs(integer)'),
  regoper: naming('pg_catalog.|/'),
  regoperator: naming('pg_catalog.+(integer,integer)'),
  regclass: naming('pg_catalog.pg_class', 'information_schema.tables'),
  regtype: naming('integer', 'pg_catalog.pg_class[]'),
  regconfig: naming('pg_catalog.english'),
  regdictionary: naming('pg_catalog.english_stem'),
  regnamespace: naming('pg_catalog'),
  regrole: naming('pg_monitor'),
  regcollation: naming('pg_catalog."C"', 'pg_catalog."und-x-icu"'),
}
