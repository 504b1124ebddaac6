-- name: insert one row
INSERT INTO countries VALUES ('CL', 'Chile', 'South America', 19600000)
-- name: insert with an identity
INSERT INTO change_log (table_name, action, row_id, changed_at) VALUES ('orders', 'note', 5, '2026-06-01') RETURNING id
-- name: insert several rows
INSERT INTO secrets VALUES ('a', '1'), ('b', '2'), ('c', '3')
-- name: insert with parameters
-- params: ["north-2", 7]
INSERT INTO stock_levels VALUES (1, $1, $2, '2026-06-02')
-- name: insert from a small select
INSERT INTO archive.orders SELECT * FROM orders WHERE id BETWEEN 1200 AND 1210
-- name: insert with defaults
INSERT INTO customers (email, full_name, country, signed_up_at) VALUES ('new@example.com', 'New Person', 'DE', '2026-06-01')
-- name: insert with a domain and a composite
INSERT INTO customers (email, full_name, country, address, signed_up_at) VALUES ('other@example.com', 'Other', 'FR', ROW('Rue 1', 'Lyon', '69000', 'FR'), '2026-06-01')
-- name: insert on conflict do nothing
INSERT INTO countries VALUES ('DE', 'Germany', 'Europe', 84000000) ON CONFLICT DO NOTHING
-- name: upsert
INSERT INTO countries VALUES ('DE', 'Germany', 'Europe', 84100000) ON CONFLICT (code) DO UPDATE SET population = EXCLUDED.population
-- name: upsert with a condition
INSERT INTO stock_levels VALUES (1, 'north', 12, '2026-06-03') ON CONFLICT (product_id, warehouse) DO UPDATE SET quantity = EXCLUDED.quantity WHERE stock_levels.counted_on < EXCLUDED.counted_on
-- name: insert returning an expression
INSERT INTO payments (order_id, method, amount, paid_at) VALUES (10, 'card', 12.50, '2026-06-01') RETURNING id, amount * 2 AS doubled
-- name: insert a row of json
INSERT INTO payments (order_id, method, amount, paid_at, details) VALUES (11, 'paypal', 3, '2026-06-01', jsonb_build_object('risk', 1))
-- name: insert into a partitioned table
INSERT INTO events VALUES (900001, '2026-02-01', 'view', 5, '{"page": "/"}')
-- name: insert with a CTE that reads
WITH best AS (SELECT id FROM customers ORDER BY loyalty_points DESC LIMIT 3) INSERT INTO change_log (table_name, action, row_id, changed_at) SELECT 'customers', 'best', id, '2026-06-01' FROM best
-- name: insert with generate_series
INSERT INTO sensor_readings SELECT 'roof', timestamptz '2026-06-05' + n * interval '1 hour', n FROM generate_series(1, 20) n
-- name: update by key
UPDATE customers SET notes = 'called back' WHERE id = 17
-- name: update by key with parameters
-- params: ["shipped", 42]
UPDATE orders SET status = $1 WHERE id = $2
-- name: update several columns
UPDATE customers SET (full_name, notes) = ('Anna Smith', NULL) WHERE id = 18
-- name: update by a list of keys
UPDATE orders SET note = 'gift' WHERE id IN (5, 6, 7, 8)
-- name: update a range
UPDATE orders SET currency = 'EUR' WHERE id BETWEEN 100 AND 140
-- name: update from a join
UPDATE order_items SET unit_price = p.price FROM products p WHERE p.id = order_items.product_id AND order_items.order_id = 9
-- name: update with a sub-select
UPDATE orders SET total = (SELECT sum(quantity * unit_price) FROM order_items WHERE order_id = orders.id) WHERE id = 9
-- name: update with a sub-select in the condition
UPDATE support_tickets SET closed_at = '2026-06-01' WHERE closed_at IS NULL AND customer_id IN (SELECT id FROM customers WHERE country = 'PL' AND id < 60)
-- name: update of json
UPDATE products SET attributes = attributes || '{"checked": true}' WHERE sku = 'SKU-00007'
-- name: update of an array
UPDATE customers SET tags = array_append(tags, 'reviewed') WHERE id = 19
-- name: update of a hstore
UPDATE customers SET preferences = preferences || 'theme=>dark'::hstore WHERE id = 20
-- name: update through a view
UPDATE active_customers SET full_name = 'Björn Müller' WHERE id = 21
-- name: update returning
UPDATE employees SET salary = salary * 1.02 WHERE id = 30 RETURNING id, salary
-- name: update that reaches nothing
UPDATE orders SET note = 'x' WHERE id = 999999
-- name: update with a trigger
UPDATE orders SET note = 'touched' WHERE id = 77
-- name: update with a custom function
UPDATE customers SET loyalty_points = loyalty_points + 5 WHERE customer_tier(loyalty_points) = 'gold' AND id < 100
-- name: delete by key
DELETE FROM sensor_readings WHERE sensor = 'fridge' AND read_at = '2026-06-01 00:10+00'
-- name: delete a few
DELETE FROM reservations WHERE id IN (3, 4)
-- name: delete with a trigger
DELETE FROM payments WHERE id = (SELECT min(id) FROM payments)
-- name: delete with a cascade
DELETE FROM orders WHERE id = 1499
-- name: delete by a join
DELETE FROM stock_levels USING products WHERE products.id = stock_levels.product_id AND products.sku = 'SKU-00150'
-- name: delete that reaches nothing
DELETE FROM orders WHERE id = -1
-- name: delete of an empty list as programs write it
DELETE FROM orders WHERE 1 = 0
-- name: delete returning
DELETE FROM secrets WHERE name = 'c' RETURNING name
-- name: delete by a range of dates
DELETE FROM sensor_readings WHERE sensor = 'roof' AND read_at < '2026-06-05 06:00+00'
-- name: next number of a sequence
SELECT nextval('invoice_numbers')
-- name: next number, formatted
SELECT 'INV-' || lpad(nextval('invoice_numbers')::text, 6, '0') AS invoice
