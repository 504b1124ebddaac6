-- name: CTE
WITH paid AS (SELECT * FROM orders WHERE status = 'paid') SELECT count(*) FROM paid
-- name: several CTEs
WITH a AS (SELECT 1 AS n), b AS (SELECT n + 1 AS n FROM a), c AS (SELECT n * 10 AS n FROM b) SELECT * FROM a, b, c
-- name: MATERIALIZED and NOT MATERIALIZED
WITH a AS MATERIALIZED (SELECT id FROM orders), b AS NOT MATERIALIZED (SELECT id FROM customers) SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)
-- name: CTE that shadows a table
WITH orders AS (SELECT 1 AS id) SELECT * FROM orders
-- name: CTE inside a sub-select
SELECT * FROM (WITH x AS (SELECT id FROM products WHERE price > 150) SELECT count(*) FROM x) s
-- name: CTE named delete
WITH "delete" AS (SELECT 1 AS "drop") SELECT "drop" FROM "delete"
-- name: recursive numbers
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT sum(i) FROM n
-- name: recursive tree
WITH RECURSIVE tree AS (
  SELECT id, manager_id, full_name, 1 AS level, ARRAY[id] AS path FROM employees WHERE manager_id IS NULL
  UNION ALL
  SELECT e.id, e.manager_id, e.full_name, t.level + 1, t.path || e.id FROM employees e JOIN tree t ON e.manager_id = t.id
) SELECT level, count(*) FROM tree GROUP BY level ORDER BY level
-- name: recursive with SEARCH and CYCLE
WITH RECURSIVE tree(id, manager_id) AS (
  SELECT id, manager_id FROM employees WHERE manager_id IS NULL
  UNION ALL SELECT e.id, e.manager_id FROM employees e JOIN tree t ON e.manager_id = t.id
) SEARCH DEPTH FIRST BY id SET ordering CYCLE id SET is_cycle USING path
SELECT id, is_cycle FROM tree ORDER BY ordering
-- name: recursive UNION
WITH RECURSIVE referrers(id) AS (SELECT 100::bigint UNION SELECT c.referred_by FROM customers c JOIN referrers r ON r.id = c.id WHERE c.referred_by IS NOT NULL) SELECT * FROM referrers
-- name: LATERAL
SELECT c.id, last.id FROM customers c CROSS JOIN LATERAL (SELECT o.id FROM orders o WHERE o.customer_id = c.id ORDER BY placed_at DESC LIMIT 2) last ORDER BY 1, 2 LIMIT 20
-- name: LEFT JOIN LATERAL ON true
SELECT p.id, s.* FROM products p LEFT JOIN LATERAL (SELECT sum(quantity) AS stock FROM stock_levels l WHERE l.product_id = p.id) s ON true LIMIT 10
-- name: generate_series of dates
SELECT day::date, count(o.id) FROM generate_series(timestamptz '2026-01-01', '2026-01-31', '1 day') day LEFT JOIN orders o ON o.placed_at >= day AND o.placed_at < day + interval '1 day' GROUP BY 1 ORDER BY 1
-- name: set-returning function in the target list
SELECT generate_series(1, 3), unnest(ARRAY['a', 'b'])
-- name: WITH ORDINALITY
SELECT t.tag, t.place FROM customers c, unnest(c.tags) WITH ORDINALITY AS t(tag, place) WHERE c.id = 4
-- name: ROWS FROM
SELECT * FROM ROWS FROM (generate_series(1, 3), unnest(ARRAY['x', 'y'])) WITH ORDINALITY AS r(n, letter, place)
-- name: unnest of several arrays
SELECT * FROM unnest(ARRAY[1, 2, 3], ARRAY['a', 'b']) AS u(n, letter)
-- name: generate_subscripts
SELECT i, (ARRAY['a', 'b', 'c'])[i] FROM generate_subscripts(ARRAY['a', 'b', 'c'], 1) i
-- name: function with a column definition list
SELECT * FROM json_to_recordset('[{"a":1,"b":"x"},{"a":2}]') AS r(a int, b text)
-- name: nested sub-selects
SELECT (SELECT (SELECT (SELECT max(id) FROM orders)))
-- name: ARRAY of a sub-select
SELECT name, ARRAY(SELECT p.id FROM products p WHERE p.category_id = c.id ORDER BY 1) FROM categories c
-- name: partitioned table
SELECT tableoid::regclass, count(*) FROM events GROUP BY 1 ORDER BY 1
-- name: one partition
SELECT count(*) FROM events_2026_q1 WHERE kind = 'cart'
-- name: view
SELECT country, count(*) FROM active_customers GROUP BY country
-- name: view over functions
SELECT tier, count(*) FROM customer_directory GROUP BY tier
-- name: view with a rule on DELETE
SELECT count(*) FROM legacy_orders
-- name: materialized view
SELECT * FROM daily_sales ORDER BY revenue DESC LIMIT 3
-- name: table with row security
SELECT count(*) FROM support_tickets WHERE closed_at IS NULL
-- name: custom STABLE function in SQL
SELECT id, order_value(id) FROM orders WHERE id <= 5
-- name: custom STABLE function in FROM
SELECT p.name, t.sold FROM top_products(5) t JOIN products p ON p.id = t.product_id ORDER BY 2 DESC
-- name: custom STABLE function in PL/pgSQL
SELECT department, count(*) FROM reports_of(1) GROUP BY department
-- name: custom IMMUTABLE function
SELECT customer_tier(loyalty_points), count(*) FROM customers GROUP BY 1
-- name: function on a composite
SELECT full_address(address) FROM customers WHERE id < 4
-- name: attribute notation with parentheses
SELECT (c.address).full_address FROM customers c WHERE c.id < 4
-- name: function of another schema
SELECT reporting.quarter_label(placed_at::date), sum(total) FROM orders GROUP BY 1 ORDER BY 1
-- name: custom range type
SELECT id FROM products WHERE price_band @> 30.5 AND price_band && price_range(10, 20) ORDER BY id LIMIT 10
-- name: domain cast
SELECT 'someone@example.com'::email_address, 12.5::money_amount
-- name: qualified type
SELECT 'paid'::public.order_status
-- name: virtual generated column
SELECT id, margin FROM products ORDER BY margin DESC LIMIT 5
-- name: temporal primary key
SELECT product_id, price FROM price_history WHERE valid @> date '2026-05-01' LIMIT 5
-- name: EXPLAIN
EXPLAIN SELECT * FROM orders WHERE customer_id = 3
-- name: EXPLAIN with options
EXPLAIN (VERBOSE, COSTS off, SETTINGS, FORMAT json) SELECT count(*) FROM orders
-- name: EXPLAIN ANALYZE of a read
EXPLAIN ANALYZE SELECT count(*) FROM orders
-- name: EXPLAIN ANALYZE in parentheses
EXPLAIN (ANALYZE, BUFFERS, TIMING off, WAL, SUMMARY off) SELECT * FROM orders JOIN customers ON customers.id = orders.customer_id
-- name: EXPLAIN with MEMORY and SERIALIZE
EXPLAIN (ANALYZE, MEMORY, SERIALIZE text) SELECT id FROM products
-- name: EXPLAIN generic plan
-- params: [1]
EXPLAIN (GENERIC_PLAN) SELECT * FROM orders WHERE id = $1
-- name: EXPLAIN of a write without running it
EXPLAIN DELETE FROM orders WHERE id = 5
-- name: EXPLAIN VERBOSE
EXPLAIN VERBOSE TABLE countries
-- name: SHOW
SHOW server_version
-- name: SHOW ALL
SHOW ALL
-- name: SHOW of a name in two words
SHOW TIME ZONE
-- name: SHOW search_path
SHOW search_path
-- name: SHOW transaction
SHOW transaction_isolation
-- name: values of EXCEPT with parentheses
((SELECT 1) UNION (SELECT 2)) EXCEPT (SELECT 1)
-- name: ordered sub-select in parentheses
(SELECT id FROM orders ORDER BY total DESC LIMIT 1) UNION ALL (SELECT id FROM orders ORDER BY total LIMIT 1)
-- name: aliases that look like commands
SELECT o.id AS "DROP TABLE orders", count(*) AS "delete" FROM orders AS "truncate" JOIN orders AS o ON o.id = "truncate".id GROUP BY o.id LIMIT 3
-- name: columns called like actions
SELECT "update" FROM (SELECT 1 AS "update") "insert"
-- name: many unions
SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8
