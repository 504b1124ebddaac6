/** Types that a user can make, and those of the extensions that come with PostgreSQL; their values. */
import fc from 'fast-check'
import { quoteLiteral } from '#lib/kernel/index.ts'
import type { BaseValues } from './base-values.ts'
import { BASE_VALUES } from './base-values.ts'

/** A type of its own by way of the server's functions for text: what an extension's C type looks like from outside. */
const OWN_BASE_TYPE = `
  CREATE TYPE app.code;
  CREATE FUNCTION app.code_in(cstring) RETURNS app.code LANGUAGE internal IMMUTABLE STRICT AS 'textin';
  CREATE FUNCTION app.code_out(app.code) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
  CREATE TYPE app.code (INPUT = app.code_in, OUTPUT = app.code_out, LIKE = text);`

export const USER_TYPES_SQL = `
  CREATE SCHEMA app; CREATE SCHEMA "Odd ""schema";
  ${OWN_BASE_TYPE}
  CREATE TYPE app.mood AS ENUM ('sad', 'über "happy"', '', 'it''s, {ok}', 'NULL');
  ALTER TYPE app.mood ADD VALUE 'late' BEFORE 'sad';
  CREATE COLLATION app.loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
  CREATE DOMAIN app.positive AS integer CHECK (VALUE > 0);
  CREATE DOMAIN app.price AS numeric(10,2) DEFAULT 0;
  CREATE DOMAIN app.amount AS numeric(12,4);
  CREATE DOMAIN app.big_price AS app.price CHECK (VALUE < 1000);
  CREATE DOMAIN app.short_list AS integer[] CHECK (array_length(VALUE, 1) < 9);
  CREATE DOMAIN app.loose_text AS text COLLATE app.loose;
  CREATE TYPE app.nothing AS ();
  CREATE TYPE app.pair AS (id integer, label text COLLATE "C");
  CREATE TYPE "Odd ""schema"."Odd, type" AS ("a b" app.pair[], "C" app.mood, d app.short_list, e app.amount, f app.nothing);
  CREATE DOMAIN app.some_pair AS app.pair CHECK ((VALUE).id IS DISTINCT FROM 0);
  CREATE TYPE app.floatrange AS RANGE (subtype = double precision, subtype_diff = float8mi);
  CREATE TYPE app.textrange AS RANGE (subtype = text, collation = "C", multirange_type_name = app.many_texts);
  CREATE TYPE app.timerange AS RANGE (subtype = time);`

const scaled = (precision: number, scale: number, ...edges: string[]): BaseValues => {
  const limit = 10n ** BigInt(precision) - 1n
  return { edges: ["'NaN'", '0', ...edges], random: fc.bigInt(-limit, limit).map((value) => `${value}e${-scale}`) }
}
const cut = (name: string, length: number): BaseValues => {
  const { edges, random } = BASE_VALUES[name] as BaseValues
  const short = (value: string) => `left((${value})::text, ${length})`
  return { edges: edges.map(short), random: random.map(short) }
}

/** Types with modifiers, by what a column says. */
export const MODIFIED: Readonly<Record<string, BaseValues>> = {
  'numeric(12,2)': scaled(12, 2, '-0.01', '9999999999.99', '10000.00'),
  'numeric(18,6)': scaled(18, 6, '999999999999.999999', '9007199254.740993'),
  'numeric(18,18)': scaled(18, 18, '0.999999999999999999'),
  'numeric(18,0)': scaled(18, 0, '-999999999999999999'),
  'numeric(19,2)': scaled(19, 2, '99999999999999999.99'),
  'numeric(38,10)': scaled(38, 10, '1234567890123456789012345678.0123456789'),
  'numeric(3,-2)': scaled(3, -2, '12300'),
  'numeric(2,5)': scaled(2, 5, '0.00099'),
  'character varying(10)': cut('varchar', 10),
  'character(5)': cut('bpchar', 5),
  'bit(5)': { edges: ["B'00000'", "B'11111'"], random: fc.nat(31).map((value) => `${value}::bit(5)`) },
  'bit varying(9)': { edges: ["B''"], random: fc.nat(511).map((value) => `${value}::bit(9)`) },
  'timestamp(3) without time zone': {
    edges: ["'infinity'", "'1969-12-31 23:59:59.999'"],
    random: fc.integer().map((value) => `to_timestamp(${value}.5) AT TIME ZONE 'UTC'`),
  },
  'timestamp(0) with time zone': {
    edges: ["'-infinity'", "'1970-01-01 00:00:00+00'"],
    random: fc.integer().map((value) => `to_timestamp(${value})`),
  },
  'time(2) without time zone': {
    edges: ["'24:00:00'"],
    random: fc.nat(86_399).map((value) => `time '00:00' + interval '${value}.25 s'`),
  },
  'interval(3)': { edges: ["'1 mon -1 day 0.125 s'"], random: fc.integer().map((value) => `interval '${value} ms'`) },
  'interval year to month': {
    edges: ["'-1 year 2 mons'"],
    random: fc.integer({ min: -9_999, max: 9_999 }).map((value) => `interval '${value} mons'`),
  },
  'numeric(12,2)[]': {
    edges: ["'[3:4]={NaN,1.5}'", "'{}'"],
    random: fc.array(fc.integer()).map((all) => `'{${all.map((value) => `${value}e-2`)}}'`),
  },
  'character varying(3)[]': { edges: [`'{"",NULL,"NULL"}'`], random: fc.constantFrom(`'{a,"b c"}'`, `'{{a},{b}}'`) },
}

/** With the name of the extension that each type comes from. */
export const EXTENSIONS: Readonly<Record<string, readonly string[]>> = {
  citext: ['citext'],
  hstore: ['hstore'],
  ltree: ['ltree', 'lquery', 'ltxtquery'],
  pg_trgm: [],
  cube: ['cube'],
  seg: ['seg'],
  isn: ['ean13', 'isbn', 'isbn13', 'issn', 'issn13', 'ismn', 'ismn13', 'upc'],
  lo: ['lo'],
  intarray: ['query_int'],
}

/** Types of extensions that hold index keys and cannot be read back. */
export const REFUSED_EXTENSION_TYPES: Readonly<Record<string, string>> = {
  gtrgm: 'pg_trgm',
  ghstore: 'hstore',
  ltree_gist: 'ltree',
  intbig_gkey: 'intarray',
}

const text = BASE_VALUES['text'] as BaseValues
const q = (...texts: string[]) => texts.map(quoteLiteral)
const word = fc.string({ unit: fc.constantFrom(...'abcXYZ_019'), minLength: 1, maxLength: 8 })
const coordinates = fc.array(
  fc.double({ noNaN: true }).map((value) => (Object.is(value, -0) ? '-0' : String(value))),
  { minLength: 1, maxLength: 4 },
)
const numbered = (...edges: string[]): BaseValues => ({ edges: q(...edges), random: fc.constantFrom(...q(...edges)) })

/** By pg_type.typname: user types that need values of their own, and information_schema's constrained domains. */
export const USER_VALUES: Readonly<Record<string, BaseValues>> = {
  code: text,
  positive: { edges: ['1', '2147483647'], random: fc.integer({ min: 1 }).map(String) },
  price: {
    edges: ['0.00', '-99999999.99'],
    random: fc.bigInt(-9999999999n, 9999999999n).map((value) => `${value}e-2`),
  },
  big_price: { edges: ['0.00', '999.99'], random: fc.nat(99_999).map((value) => `${value}e-2`) },
  amount: { edges: ['0.0001', '-99999999.9999'], random: fc.integer().map((value) => `${value}e-4`) },
  short_list: {
    edges: [`'{}'`, `'[-1:0]={NULL,1}'`],
    random: fc.array(fc.integer(), { maxLength: 8 }).map((all) => `'{${all}}'`),
  },
  some_pair: {
    edges: [`ROW(NULL, NULL)::app.pair`, `ROW(1, '')::app.pair`],
    random: fc.integer({ min: 1 }).map((id) => `ROW(${id}, '(')::app.pair`),
  },
  citext: text,
  hstore: {
    edges: q('', '"a"=>NULL, "b"=>"x,y"', '"\\"=>"=>"NULL"'),
    random: fc
      .array(fc.tuple(text.random, fc.option(text.random)), { minLength: 1, maxLength: 3 })
      .map(
        (pairs) =>
          `public.hstore(ARRAY[${pairs.map(([key]) => key)}], ARRAY[${pairs.map(([, value]) => value ?? 'NULL')}]::text[])`,
      ),
  },
  ltree: {
    edges: q('', 'Top.Science'),
    random: fc.array(word, { maxLength: 4 }).map((all) => quoteLiteral(all.join('.'))),
  },
  lquery: numbered('*', 'Top.*{1,3}.!pizza*@|x%', '*{0,}.a'),
  ltxtquery: numbered('Top & !Sci*@', 'a | b%'),
  cube: {
    edges: q('()', '(1,-0),(2,3)', '(1e-300)'),
    random: coordinates.map((at) => `'(${at}),(${at.toReversed()})'`),
  },
  seg: numbered('5.0', '~5.000', '5 .. 7.50', '< 0', '(5.0 .. )'.replace(/[()]/g, '')),
  ean13: numbered('0220356483481', '9771234567003'),
  isbn: numbered('0-12-374856-9', '0-393-04002-X'),
  isbn13: numbered('978-0-393-04002-9'),
  issn: numbered('1436-4522'),
  issn13: numbered('977-1436-452-00-8'),
  ismn13: numbered('979-0-060-11561-5'),
  ismn: numbered('979-0-060-11561-5'),
  upc: numbered('220356483481'),
  lo: { edges: q('0', '4294967295'), random: fc.nat().map(String) },
  query_int: numbered('1&2', '1|!(2&3)'),
  cardinal_number: { edges: ['0', '2147483647'], random: fc.nat().map(String) },
  yes_or_no: { edges: q('YES', 'NO'), random: fc.constantFrom(`'YES'`, `'NO'`) },
  character_data: text,
  // timestamptz(2), whose last moments round to what is out of range.
  time_stamp: numbered('infinity', '-infinity', '1969-12-31 23:59:59.99+00', '2024-02-29 12:00:00.01+00'),
}
