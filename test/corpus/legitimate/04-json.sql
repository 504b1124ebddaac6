-- name: arrow operators
SELECT payload -> 'page', payload ->> 'page', payload #> '{cart,0}', payload #>> '{cart,0,sku}' FROM events LIMIT 3
-- name: containment
SELECT count(*) FROM products WHERE attributes @> '{"colour": "red"}' AND '{"colour": "red"}'::jsonb <@ attributes
-- name: key existence
SELECT count(*) FROM products WHERE attributes ? 'colour' AND attributes ?| ARRAY['a', 'weight_g'] AND attributes ?& ARRAY['colour', 'sizes']
-- name: jsonb subscripts
SELECT payload['cart'][0]['sku'] FROM events LIMIT 3
-- name: jsonb_path_query
SELECT id, jsonb_path_query(payload, '$.cart[*] ? (@.qty > 2).sku') FROM events LIMIT 5
-- name: jsonb_path functions
SELECT jsonb_path_exists(payload, '$.page'), jsonb_path_query_array(payload, '$.tags[*]'), jsonb_path_query_first(payload, '$.tags[0]') FROM events LIMIT 3
-- name: jsonpath operators
SELECT count(*) FROM events WHERE payload @? '$.cart[*] ? (@.qty == 3)' OR payload @@ '$.duration_ms > 4000'
-- name: jsonpath with a time zone
SELECT jsonb_path_query_tz('["2026-05-01"]', '$[*].datetime()')
-- name: jsonpath with variables
SELECT jsonb_path_query(payload, '$.cart[*] ? (@.qty >= $least)', '{"least": 4}') FROM events LIMIT 5
-- name: jsonb_each
SELECT key, value FROM products, jsonb_each(attributes) WHERE id = 1
-- name: jsonb_each_text and keys
SELECT k.key, t.value FROM products, jsonb_object_keys(attributes) AS k(key), jsonb_each_text(attributes) t WHERE id = 2 AND t.key = k.key
-- name: jsonb_array_elements
SELECT e.id, item ->> 'sku', (item ->> 'qty')::int FROM events e, jsonb_array_elements(e.payload -> 'cart') item LIMIT 10
-- name: jsonb_array_elements_text
SELECT tag, count(*) FROM events, jsonb_array_elements_text(payload -> 'tags') tag GROUP BY tag ORDER BY 1
-- name: building json
SELECT jsonb_build_object('id', id, 'tags', to_jsonb(tags)), json_build_array(id, full_name), row_to_json(c) FROM customers c WHERE id < 3
-- name: jsonb_agg of rows
SELECT jsonb_agg(jsonb_build_object('id', o.id, 'total', o.total) ORDER BY o.id) FROM orders o WHERE customer_id = 8
-- name: jsonb changes in memory
SELECT jsonb_set(attributes, '{rating,mean}', '5'), jsonb_insert(attributes, '{sizes,0}', '"XS"'), attributes - 'colour', attributes #- '{rating,count}', attributes || '{"new": true}' FROM products LIMIT 2
-- name: jsonb_strip_nulls and jsonb_pretty
SELECT jsonb_pretty(jsonb_strip_nulls('{"a": null, "b": [1, null]}')), jsonb_typeof('[1]'), jsonb_array_length('[1, 2]')
-- name: jsonb_to_record
SELECT r.* FROM products, jsonb_to_record(attributes) AS r(colour text, weight_g int) WHERE id < 4
-- name: jsonb_populate_record
SELECT * FROM jsonb_populate_record(NULL::postal_address, '{"street": "A 1", "city": "Bern"}')
-- name: JSON_TABLE
SELECT j.* FROM events, JSON_TABLE(payload, '$.cart[*]' COLUMNS (place FOR ORDINALITY, sku text PATH '$.sku', qty int PATH '$.qty' DEFAULT 0 ON EMPTY)) AS j WHERE events.id < 5
-- name: JSON_TABLE nested
SELECT j.page, j.tag FROM events e, JSON_TABLE(e.payload, '$' COLUMNS (page text PATH '$.page', NESTED PATH '$.tags[*]' COLUMNS (tag text PATH '$'))) j WHERE e.id < 4
-- name: JSON_VALUE, JSON_QUERY, JSON_EXISTS
SELECT JSON_VALUE(payload, '$.duration_ms' RETURNING int), JSON_QUERY(payload, '$.tags' WITH WRAPPER), JSON_EXISTS(payload, '$.cart') FROM events LIMIT 3
-- name: JSON_VALUE with a default and variables
SELECT JSON_VALUE(payload, '$.cart[$n].sku' PASSING 0 AS n DEFAULT 'none' ON EMPTY NULL ON ERROR) FROM events LIMIT 3
-- name: JSON constructors
SELECT JSON_OBJECT('a': 1, 'b': 2 ABSENT ON NULL), JSON_ARRAY(1, 2, NULL NULL ON NULL), JSON_SCALAR(1), JSON('{"a":1}'), JSON_SERIALIZE('{"a":1}' RETURNING text)
-- name: JSON_OBJECTAGG and JSON_ARRAYAGG
SELECT JSON_OBJECTAGG(code VALUE name), JSON_ARRAYAGG(code ORDER BY code) FROM countries
-- name: IS JSON
SELECT '{"a":1}' IS JSON OBJECT, '[1]' IS JSON ARRAY, 'x' IS NOT JSON
-- name: json operators on json
SELECT '{"a": {"b": 1}}'::json #>> '{a,b}', json_extract_path_text('{"a": {"b": 1}}', 'a', 'b')
-- name: array operators
SELECT ARRAY[1, 2] || 3, ARRAY[1, 2] @> ARRAY[2], ARRAY[1] && ARRAY[1, 5], (ARRAY[1, 2, 3])[2:3]
-- name: array functions
SELECT array_length(tags, 1), cardinality(tags), array_position(tags, 'vip'), array_remove(tags, 'vip'), array_to_string(tags, '|') FROM customers LIMIT 4
-- name: array rewriting
SELECT array_append(ARRAY[1], 2), array_cat(ARRAY[1], ARRAY[2]), array_replace(ARRAY[1, 2], 2, 3), array_fill(0, ARRAY[3]), string_to_array('a,b', ','), trim_array(ARRAY[1, 2, 3], 1)
-- name: new array functions
SELECT array_sort(ARRAY[3, 1, 2]), array_reverse(ARRAY[1, 2, 3])
-- name: array membership
SELECT id FROM customers WHERE 'vip' = ANY(tags) AND NOT tags && '{wholesale}' ORDER BY id LIMIT 5
-- name: multidimensional arrays
SELECT '{{1,2},{3,4}}'::int[][], array_ndims('{{1,2},{3,4}}'::int[]), array_dims('{{1,2},{3,4}}'::int[])
-- name: range operators
SELECT int4range(1, 10) * int4range(5, 15), int4range(1, 5) -|- int4range(5, 6), upper(during), lower(during), isempty(during) FROM reservations LIMIT 3
-- name: overlaps of reservations
SELECT room, count(*) FROM reservations WHERE during && tstzrange('2026-05-02', '2026-05-03') GROUP BY room
-- name: multiranges
SELECT '{[1,3), [5,8)}'::int4multirange, int4multirange(int4range(1, 3)) + int4multirange(int4range(5, 8)), unnest('{[1,3),[5,8)}'::int4multirange)
-- name: OVERLAPS
SELECT (date '2026-01-01', date '2026-02-01') OVERLAPS (date '2026-01-15', interval '10 days')
