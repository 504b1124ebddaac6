-- name: one row
SELECT 1
-- name: with a trailing semicolon
SELECT id, full_name FROM customers WHERE id = 7;
-- name: comments around a read
/* weekly report */ SELECT count(*) FROM orders -- all of them
-- name: comment that names a write
SELECT count(*) FROM orders /* DROP TABLE orders */
-- name: literal that looks like a write
SELECT 'DELETE FROM orders; DROP TABLE users' AS advice
-- name: dollar quoted literal that looks like a write
SELECT $note$TRUNCATE orders; -- not run$note$ AS text
-- name: column named like a keyword
SELECT "select", "Line No", "Größe" FROM "Order Lines" ORDER BY 1
-- name: non-Latin names
SELECT b.titel, t."имя", o."顧客" FROM "Bücher" b JOIN "таблица" t USING (id) JOIN "注文" o USING (id)
-- name: unquoted non-Latin name
SELECT имя FROM таблица ORDER BY имя
-- name: Unicode escapes in an identifier
SELECT U&"\0438\043C\044F" FROM U&"\0442\0430\0431\043B\0438\0446\0430"
-- name: Unicode escapes in a literal
SELECT U&'\0041nna' = 'Anna'
-- name: non-Latin literals
SELECT full_name FROM customers WHERE full_name LIKE 'Gra%' OR full_name = 'Björn Müller' OR full_name = '佐藤'
-- name: emoji in a literal
SELECT '📦 delivered' AS label
-- name: right-to-left text in a literal
SELECT 'שלום' AS greeting, 'مرحبا' AS other
-- name: VALUES
VALUES (1, 'one'), (2, 'two'), (3, NULL)
-- name: VALUES as a table
SELECT v.n, v.label FROM (VALUES (1, 'low'), (2, 'high')) AS v(n, label) WHERE v.n > 1
-- name: TABLE
TABLE countries
-- name: TABLE with order and limit
TABLE countries ORDER BY name LIMIT 3
-- name: SELECT of nothing
SELECT FROM customers LIMIT 1
-- name: schema-qualified
SELECT * FROM public.countries ORDER BY code
-- name: other schema
SELECT count(*) FROM archive.old_orders
-- name: database-qualified columns
SELECT public.countries.name FROM public.countries WHERE public.countries.code = 'DE'
-- name: DISTINCT
SELECT DISTINCT country FROM customers ORDER BY country
-- name: DISTINCT ON
SELECT DISTINCT ON (customer_id) customer_id, id, placed_at FROM orders ORDER BY customer_id, placed_at DESC
-- name: FETCH FIRST WITH TIES
SELECT id, loyalty_points FROM customers ORDER BY loyalty_points DESC FETCH FIRST 5 ROWS WITH TIES
-- name: OFFSET and LIMIT ALL
SELECT id FROM orders ORDER BY id LIMIT ALL OFFSET 1490
-- name: NULLS FIRST
SELECT code, population FROM countries ORDER BY population DESC NULLS LAST, code
-- name: ORDER BY USING
SELECT code FROM countries ORDER BY code USING >
-- name: parameters
-- params: ["DE", 100]
SELECT id, full_name FROM customers WHERE country = $1 AND loyalty_points >= $2
-- name: parameter with a cast
-- params: ["2026-02-01"]
SELECT count(*) FROM orders WHERE placed_at >= $1::timestamptz
-- name: parameter as an array
-- params: ["{1,2,3}"]
SELECT id, status FROM orders WHERE id = ANY($1::bigint[]) ORDER BY id
-- name: parameter used twice
-- params: ["%müller%"]
SELECT id FROM customers WHERE full_name ILIKE $1 OR notes ILIKE $1
-- name: parameter for LIMIT
-- params: [5]
SELECT id FROM products ORDER BY price DESC LIMIT $1
-- name: row constructor
SELECT id FROM orders WHERE (customer_id, status) = (8, 'paid') OR ROW(customer_id, currency) IN ((15, 'USD'), (22, 'EUR'))
-- name: row comparison for paging
SELECT id, placed_at FROM orders WHERE (placed_at, id) > ('2026-03-01 00:00+00', 100) ORDER BY placed_at, id LIMIT 10
-- name: CASE
SELECT id, CASE WHEN total > 1000 THEN 'large' WHEN total > 200 THEN 'middle' ELSE 'small' END AS size FROM orders LIMIT 20
-- name: simple CASE
SELECT CASE status WHEN 'new' THEN 1 WHEN 'paid' THEN 2 ELSE 9 END FROM orders LIMIT 5
-- name: COALESCE, NULLIF, GREATEST, LEAST
SELECT coalesce(note, '-'), nullif(currency, 'EUR'), greatest(total, 100), least(total, 500) FROM orders LIMIT 5
-- name: BETWEEN SYMMETRIC
SELECT count(*) FROM products WHERE price BETWEEN SYMMETRIC 100 AND 20
-- name: IS DISTINCT FROM
SELECT count(*) FROM customers WHERE referred_by IS DISTINCT FROM 5 AND is_active IS NOT UNKNOWN
-- name: EXISTS
SELECT c.id FROM customers c WHERE EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id AND o.total > 1500)
-- name: NOT IN with a sub-select
SELECT id FROM products WHERE id NOT IN (SELECT product_id FROM order_items) ORDER BY id
-- name: ANY and ALL
SELECT id FROM products WHERE price > ALL (SELECT price FROM products WHERE category_id = 3) OR id = ANY (ARRAY[1, 2])
-- name: scalar sub-select
SELECT name, (SELECT count(*) FROM customers c WHERE c.country = k.code) AS people FROM countries k ORDER BY 2 DESC
-- name: COLLATE
SELECT full_name FROM customers ORDER BY full_name COLLATE "C" LIMIT 5
-- name: typed literals
SELECT date '2026-05-01', interval '3 days', timestamp '2026-01-01 10:00', B'1010', X'FF', 0x1F, 1_000_000
-- name: casts in three spellings
SELECT '5'::int, CAST('5' AS numeric(6, 2)), int4 '5', 'paid'::order_status
-- name: full join
SELECT c.id, o.id FROM customers c FULL JOIN orders o ON o.customer_id = c.id ORDER BY 1, 2 LIMIT 10
-- name: natural and cross join
SELECT count(*) FROM countries CROSS JOIN categories
-- name: JOIN USING with an alias
SELECT j.order_id FROM order_items i JOIN payments p USING (order_id) AS j LIMIT 5
-- name: nested joins
SELECT count(*) FROM (orders o JOIN (order_items i JOIN products p ON p.id = i.product_id) ON i.order_id = o.id) LEFT JOIN payments y ON y.order_id = o.id
-- name: UNION ALL
SELECT 'customer' AS kind, count(*) FROM customers UNION ALL SELECT 'order', count(*) FROM orders
-- name: INTERSECT and EXCEPT
(SELECT id FROM customers WHERE is_active INTERSECT SELECT customer_id FROM orders) EXCEPT ALL SELECT customer_id FROM support_tickets ORDER BY 1 LIMIT 20
-- name: whole-row reference
SELECT c FROM customers c WHERE c.id < 4
-- name: composite field access
SELECT (address).city, (c.address).postcode FROM customers c LIMIT 3
-- name: composite star
SELECT (address).* FROM customers LIMIT 3
-- name: enum comparison
SELECT count(*) FROM orders WHERE status >= 'shipped' AND status < 'returned'
-- name: enum functions
SELECT enum_range(NULL::order_status), enum_first(NULL::order_status), enum_last('paid'::order_status)
-- name: ONLY
SELECT count(*) FROM ONLY customers
-- name: inheritance star
SELECT count(*) FROM events *
-- name: system columns
SELECT tableoid::regclass, ctid, xmin FROM events LIMIT 3
-- name: WHERE true
SELECT count(*) FROM orders WHERE true
-- name: boolean expressions
SELECT id FROM customers WHERE NOT is_active AND (loyalty_points > 500 OR country IN ('DE', 'FR')) ORDER BY id
-- name: LIKE with ESCAPE and SIMILAR TO
SELECT sku FROM products WHERE sku LIKE 'SKU!-0001%' ESCAPE '!' OR sku SIMILAR TO 'SKU-0(01|02)%'
-- name: escaped string
SELECT E'line one\nit\'s tab\there \u00e9' AS text
-- name: adjacent literals
SELECT 'one '
'two'
-- name: named notation
SELECT make_date(year => 2026, month => 5, day => 1), make_interval(days => 3, hours := 2)
-- name: VARIADIC
SELECT concat_ws('-', VARIADIC ARRAY['a', 'b', 'c']), format('%s of %s', VARIADIC ARRAY[1, 2])
-- name: long IN list
SELECT count(*) FROM orders WHERE id IN (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40)
-- name: operators with an explicit schema
SELECT 2 OPERATOR(pg_catalog.+) 3, 'abc' OPERATOR(pg_catalog.~) 'b'
-- name: keyword case and white space
sElEcT	count ( * )
  FrOm   orders
  wHeRe  id<10
