-- name: revenue by month
SELECT date_trunc('month', placed_at) AS month, sum(total) FROM orders GROUP BY 1 ORDER BY 1
-- name: HAVING
SELECT customer_id, count(*) FROM orders GROUP BY customer_id HAVING count(*) > 3 ORDER BY 2 DESC
-- name: GROUPING SETS
SELECT currency, status, sum(total), grouping(currency, status) FROM orders GROUP BY GROUPING SETS ((currency, status), (currency), ())
-- name: ROLLUP
SELECT country, is_active, count(*) FROM customers GROUP BY ROLLUP (country, is_active) ORDER BY 1, 2
-- name: CUBE
SELECT method, extract(month FROM paid_at) AS month, sum(amount) FROM payments GROUP BY CUBE (method, 2)
-- name: GROUP BY DISTINCT
SELECT currency, status, count(*) FROM orders GROUP BY DISTINCT ROLLUP (currency, status), ROLLUP (currency)
-- name: FILTER
SELECT count(*) FILTER (WHERE status = 'cancelled') AS cancelled, avg(total) FILTER (WHERE currency = 'USD') FROM orders
-- name: percentile_cont
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total), percentile_disc(0.9) WITHIN GROUP (ORDER BY total) FROM orders
-- name: several percentiles
SELECT status, percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY total) FROM orders GROUP BY status
-- name: mode
SELECT mode() WITHIN GROUP (ORDER BY country) FROM customers
-- name: hypothetical sets
SELECT rank(500) WITHIN GROUP (ORDER BY total), dense_rank(500) WITHIN GROUP (ORDER BY total), percent_rank(500) WITHIN GROUP (ORDER BY total), cume_dist(500) WITHIN GROUP (ORDER BY total) FROM orders
-- name: statistics
SELECT corr(price, cost), covar_pop(price, cost), regr_slope(price, cost), regr_r2(price, cost), stddev_samp(price), var_pop(price) FROM products
-- name: aggregates of values
SELECT array_agg(name ORDER BY name), string_agg(code, ',' ORDER BY code DESC), json_agg(name), jsonb_object_agg(code, population), bool_and(population > 0), every(true) FROM countries
-- name: bit aggregates
SELECT bit_and(flags), bit_or(flags), bit_xor(flags) FROM deliveries
-- name: any_value
SELECT country, any_value(full_name) FROM customers GROUP BY country
-- name: range_agg
SELECT room, range_agg(during) FROM reservations GROUP BY room
-- name: aggregate DISTINCT
SELECT count(DISTINCT customer_id), sum(DISTINCT total) FROM orders
-- name: running total
SELECT id, sum(total) OVER (ORDER BY placed_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM orders LIMIT 30
-- name: moving average
SELECT day, avg(revenue) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) FROM daily_sales ORDER BY day
-- name: RANGE frame with an interval
SELECT placed_at, count(*) OVER (ORDER BY placed_at RANGE BETWEEN interval '1 day' PRECEDING AND CURRENT ROW) FROM orders LIMIT 30
-- name: GROUPS frame with EXCLUDE
SELECT id, avg(total) OVER (ORDER BY status GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM orders LIMIT 20
-- name: named window
SELECT customer_id, id, row_number() OVER w, lag(total) OVER w, first_value(id) OVER w FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY placed_at) LIMIT 40
-- name: window built on a window
SELECT id, rank() OVER (w ORDER BY total), ntile(4) OVER (w ORDER BY total) FROM orders WINDOW w AS (PARTITION BY status) LIMIT 20
-- name: lead, nth_value, last_value
SELECT id, lead(total, 2, 0) OVER (ORDER BY id), nth_value(total, 3) OVER (ORDER BY id), last_value(total) OVER (ORDER BY id RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM orders LIMIT 20
-- name: cume_dist and percent_rank
SELECT id, cume_dist() OVER (ORDER BY price), percent_rank() OVER (ORDER BY price), dense_rank() OVER (ORDER BY category_id) FROM products
-- name: aggregate inside a window
SELECT country, count(*), sum(count(*)) OVER () AS everybody FROM customers GROUP BY country
-- name: share of the total
SELECT method, sum(amount), round(100 * sum(amount) / sum(sum(amount)) OVER (), 2) AS percent FROM payments GROUP BY method
-- name: cohort retention
WITH first_order AS (SELECT customer_id, min(date_trunc('month', placed_at)) AS cohort FROM orders GROUP BY 1)
SELECT f.cohort, date_trunc('month', o.placed_at) AS month, count(DISTINCT o.customer_id)
FROM first_order f JOIN orders o USING (customer_id) GROUP BY 1, 2 ORDER BY 1, 2
-- name: recency, frequency, money
SELECT customer_id, max(placed_at) AS last_order, count(*) AS orders, sum(total) AS money, ntile(5) OVER (ORDER BY sum(total) DESC) AS fifth FROM orders GROUP BY customer_id ORDER BY 5, 1 LIMIT 50
-- name: funnel
SELECT count(DISTINCT customer_id) FILTER (WHERE kind = 'view') AS viewed, count(DISTINCT customer_id) FILTER (WHERE kind = 'cart') AS carted, count(DISTINCT customer_id) FILTER (WHERE kind = 'checkout') AS bought FROM events
-- name: sessions by gap
WITH gaps AS (SELECT customer_id, occurred_at, occurred_at - lag(occurred_at) OVER (PARTITION BY customer_id ORDER BY occurred_at) > interval '30 minutes' AS is_new FROM events)
SELECT customer_id, count(*) FILTER (WHERE coalesce(is_new, true)) AS sessions FROM gaps GROUP BY 1 ORDER BY 2 DESC LIMIT 10
-- name: histogram
SELECT width_bucket(total, 0, 3000, 10) AS bucket, count(*), min(total), max(total) FROM orders GROUP BY 1 ORDER BY 1
-- name: basket pairs
SELECT a.product_id, b.product_id, count(*) FROM order_items a JOIN order_items b ON a.order_id = b.order_id AND a.product_id < b.product_id GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10
-- name: gaps and islands
SELECT min(day), max(day), count(*) FROM (SELECT day, day - (row_number() OVER (ORDER BY day))::int AS island FROM daily_sales) s GROUP BY island ORDER BY 1
-- name: pivot by FILTER
SELECT date_trunc('month', placed_at)::date AS month, sum(total) FILTER (WHERE currency = 'EUR') AS eur, sum(total) FILTER (WHERE currency = 'USD') AS usd FROM orders GROUP BY 1 ORDER BY 1
-- name: year over year by self join
SELECT a.month, a.revenue, b.revenue AS month_before FROM reporting.revenue_by_month a LEFT JOIN reporting.revenue_by_month b ON b.month = a.month - interval '1 month' AND b.currency = a.currency ORDER BY 1
-- name: top three of each group
SELECT * FROM (SELECT p.*, row_number() OVER (PARTITION BY category_id ORDER BY price DESC) AS place FROM products p) ranked WHERE place <= 3
-- name: custom aggregate
SELECT category_id, product_of(1 + cost / 1000) FROM products GROUP BY 1 ORDER BY 1
-- name: interpolation over gaps
SELECT sensor, read_at, coalesce(value, avg(value) OVER (PARTITION BY sensor ORDER BY read_at ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING)) FROM sensor_readings ORDER BY 1, 2 LIMIT 60
-- name: correlated percent of parent
SELECT o.id, i.line_no, round(100 * i.quantity * i.unit_price / nullif(o.total, 0), 1) FROM orders o JOIN order_items i ON i.order_id = o.id ORDER BY 1, 2 LIMIT 50
-- name: ratio of ordered pairs
SELECT status, lead(cnt) OVER (ORDER BY status) * 1.0 / cnt FROM (SELECT status, count(*) AS cnt FROM orders GROUP BY status) s
-- name: min and max over arrays and ranges
SELECT min(tags), max(tags), range_intersect_agg(price_band) FROM customers, products WHERE products.id < 3
-- name: random seed free sample
SELECT * FROM orders TABLESAMPLE BERNOULLI (10) REPEATABLE (42)
-- name: system sample
SELECT count(*) FROM orders TABLESAMPLE SYSTEM (50) REPEATABLE (7)
-- name: sample by an extension's method
SELECT count(*) FROM orders TABLESAMPLE system_rows(25)
