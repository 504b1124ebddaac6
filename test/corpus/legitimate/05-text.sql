-- name: full-text search
SELECT id, name FROM products WHERE search @@ to_tsquery('english', 'steel & kitchen') LIMIT 5
-- name: websearch
SELECT id, ts_rank(search, q) FROM products, websearch_to_tsquery('english', 'garden -toys "long and"') q WHERE search @@ q ORDER BY 2 DESC LIMIT 5
-- name: ts_headline
SELECT ts_headline('english', description, plainto_tsquery('english', 'star ships')) FROM products WHERE id = 3
-- name: phrase search
SELECT count(*) FROM products WHERE to_tsvector('simple', description) @@ phraseto_tsquery('simple', 'small children')
-- name: tsvector functions
SELECT setweight(to_tsvector('a fat cat'), 'A') || to_tsvector('rat'), strip(search), length(search), numnode('a & b'::tsquery), querytree('a'::tsquery) FROM products LIMIT 1
-- name: ts_rank_cd and ts_debug
SELECT ts_rank_cd(search, 'kitchen'), (SELECT count(*) FROM ts_debug('english', 'two words')) FROM products LIMIT 2
-- name: ts_lexize and ts_parse
SELECT ts_lexize('english_stem', 'stars'), (SELECT count(*) FROM ts_parse('default', 'a b'))
-- name: regular expressions
SELECT full_name FROM customers WHERE full_name ~* '^(anna|elif)\s' AND email !~ 'test$' LIMIT 5
-- name: regexp functions
SELECT regexp_replace(sku, '\D', '', 'g'), regexp_match(sku, '(\d+)'), regexp_count(name, 'e'), regexp_substr(name, '[A-Z]\w+'), regexp_instr(name, ' '), regexp_like(name, 'knife') FROM products LIMIT 3
-- name: regexp_matches in FROM
SELECT m[1] FROM regexp_matches('a1 b2 c3', '([a-z])\d', 'g') m
-- name: regexp_split
SELECT regexp_split_to_table('a, b;c', '[,;]\s*'), regexp_split_to_array('a b', '\s')
-- name: string functions
SELECT upper(name), lower(name), initcap(name), length(name), substr(name, 2, 3), substring(name FROM 2 FOR 3), position('n' IN name), strpos(name, 'n'), left(name, 2), right(name, 2), reverse(name) FROM products LIMIT 2
-- name: trim and pad
SELECT trim(both ' ' FROM '  x '), ltrim('xxa', 'x'), rtrim('axx', 'x'), btrim(' a '), lpad('7', 3, '0'), rpad('7', 3, '-'), repeat('ab', 3)
-- name: replace and split
SELECT replace('a-b', '-', '+'), split_part('a/b/c', '/', -1), translate('abc', 'ab', 'xy'), overlay('abcdef' PLACING 'zz' FROM 2 FOR 3), starts_with('abc', 'ab')
-- name: format and quoting
SELECT format('%I = %L (%s)', 'order', 'it''s', 5), quote_ident('a b'), quote_literal('x'), quote_nullable(NULL)
-- name: encodings
SELECT encode('abc'::bytea, 'base64'), decode('YWJj', 'base64'), convert_from('\x61'::bytea, 'UTF8'), convert_to('é', 'UTF8'), md5('x'), sha256('x'::bytea), ascii('a'), chr(97), to_hex(255)
-- name: number formats
SELECT to_char(1234.5, '9G999D00'), to_char(now(), 'YYYY-MM-DD'), to_number('1,234', '9G999'), to_date('2026-05-01', 'YYYY-MM-DD'), to_timestamp(0)
-- name: bytea
SELECT get_byte(raw, 0), set_byte(raw, 0, 255), length(raw), bit_count(raw), substring(raw FROM 1 FOR 2) FROM deliveries LIMIT 2
-- name: bit strings
SELECT flags & B'00001111', flags << 2, get_bit(flags, 1), bit_length('abc') FROM deliveries LIMIT 2
-- name: trigram similarity
SELECT full_name, similarity(full_name, 'Ana Anderson') FROM customers WHERE full_name % 'Anna Andersen' ORDER BY 2 DESC, 1 LIMIT 5
-- name: trigram distance
SELECT full_name FROM customers ORDER BY full_name <-> 'Bjorn Muller', id LIMIT 5
-- name: word similarity
SELECT word_similarity('knife', name), strict_word_similarity('knife', name), show_trgm('knife') FROM products LIMIT 3
-- name: hstore
SELECT preferences -> 'theme', preferences ? 'language', akeys(preferences), (each(preferences)).key FROM customers LIMIT 4
-- name: hstore to json
SELECT hstore_to_json(preferences), preferences || 'a=>1'::hstore, preferences @> 'theme=>dark' FROM customers LIMIT 2
-- name: citext
SELECT count(*) FROM customers WHERE email = 'CUSTOMER5@MAIL.TEST'::citext OR email::citext LIKE '%ORG'
-- name: ltree
SELECT name FROM categories WHERE path <@ 'Shop.Books' ORDER BY path
-- name: ltree queries
SELECT name, nlevel(path), subpath(path, 0, 1) FROM categories WHERE path ~ '*.Kitchen.*{0,1}' OR path @ 'Toys & Wooden'
-- name: ltree functions
SELECT lca('Shop.Home.Kitchen', 'Shop.Home.Garden'), index(path, 'Home'), text2ltree('a.b') FROM categories LIMIT 2
-- name: unaccent
SELECT unaccent(full_name) FROM customers WHERE unaccent(full_name) ILIKE 'bjorn%' LIMIT 3
-- name: unaccent as a dictionary
SELECT public.unaccent('public.unaccent', 'Grażyna')
-- name: fuzzystrmatch
SELECT levenshtein('anna', 'hanna'), levenshtein_less_equal('a', 'b', 2), soundex('Müller'), difference('Anne', 'Ann'), metaphone('Thompson', 4), dmetaphone('Smith'), daitch_mokotoff('Moskowitz')
-- name: crosstab
SELECT * FROM crosstab('SELECT country, is_active::text, count(*) FROM customers GROUP BY 1, 2 ORDER BY 1, 2') AS t(country char(2), no bigint, yes bigint)
-- name: earth distance
SELECT earth_distance(ll_to_earth(52.5, 13.4), ll_to_earth(48.9, 2.4)) > 0
-- name: cube
SELECT cube(ARRAY[1, 2]) <-> cube(ARRAY[4, 6]), cube_dim('(1,2)'::cube)
-- name: intarray
SELECT id, related & ARRAY[1, 2, 3], icount(related), sort(related), uniq(related), related @@ '5|6'::query_int FROM products LIMIT 4
-- name: pgcrypto digests
SELECT digest('x', 'sha256'), hmac('x', 'key', 'sha256'), crypt('x', '$1$abcdefgh$')
-- name: uuid constants
SELECT uuid_nil(), uuid_ns_dns(), uuid_generate_v5(uuid_ns_dns(), 'example.com'), uuid_extract_version('00000000-0000-4000-8000-000000000001')
-- name: btree_gist operator
SELECT 5 <-> 8, date '2026-01-01' <-> date '2026-02-01'
