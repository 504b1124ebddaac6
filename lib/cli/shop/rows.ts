/** The rows of the demonstration shop: made by the server, the same every time. */

export const SHOP_ROWS = { warehouses: 5, customers: 800, orders: 4_000, order_items: 8_000, payments: 3_600 } as const

export type ShopTable = keyof typeof SHOP_ROWS
export const SHOP_TABLES = Object.keys(SHOP_ROWS) as readonly ShopTable[]

/** Of ten orders, six go through this warehouse. */
export const BUSY_WAREHOUSE = 'HAM'
export const BUSY_ORDERS = (SHOP_ROWS.orders * 6) / 10

/** Values follow from the row's number alone: no clock, no random numbers. */
export const SHOP_FILL = `
INSERT INTO warehouses (code, city) VALUES
  ('HAM', 'Hamburg'), ('LYS', 'Lyon'), ('OPO', 'Porto'), ('GOT', 'Gothenburg'), ('TRS', 'Trieste');

INSERT INTO customers (email, full_name, country, created_at)
SELECT 'customer' || n || '@example.com',
       (ARRAY['Ada', 'Ben', 'Chloe', 'Dana', 'Emil', 'Fatou', 'Goran', 'Hana'])[1 + n % 8] || ' Example ' || n,
       (ARRAY['DE', 'FR', 'PT', 'SE', 'IT'])[1 + n % 5],
       timestamptz '2025-01-01 08:00:00+00' + n * interval '7 hours'
FROM generate_series(1, ${SHOP_ROWS.customers}) AS n;

INSERT INTO orders (customer_id, warehouse, placed_at, total)
SELECT 1 + (n * 7) % ${SHOP_ROWS.customers},
       CASE WHEN n % 10 < 6 THEN '${BUSY_WAREHOUSE}' ELSE (ARRAY['LYS', 'OPO', 'GOT', 'TRS'])[n % 10 - 5] END,
       timestamptz '2025-09-01 06:00:00+00' + n * interval '11 minutes',
       round(9.90 + (n * 37 % 2000) / 7.0, 2)
FROM generate_series(1, ${SHOP_ROWS.orders}) AS n;

INSERT INTO order_items (order_id, line, product, quantity, price)
SELECT 1 + (n - 1) / 2, 1 + (n - 1) % 2,
       (ARRAY['lamp', 'chair', 'desk', 'shelf', 'rug', 'clock'])[1 + n % 6], 1 + n % 4, round(4.50 + (n * 13 % 900) / 9.0, 2)
FROM generate_series(1, ${SHOP_ROWS.order_items}) AS n;

INSERT INTO payments (order_id, amount, state, paid_at, details)
SELECT n, round(9.90 + (n * 37 % 2000) / 7.0, 2),
       (ARRAY['captured', 'captured', 'captured', 'authorized', 'refunded', 'failed'])[1 + n % 6]::payment_state,
       CASE WHEN n % 6 = 3 THEN NULL ELSE timestamptz '2025-09-01 06:05:00+00' + n * interval '11 minutes' END,
       jsonb_build_object('method', (ARRAY['card', 'transfer', 'wallet'])[1 + n % 3], 'attempt', 1 + n % 2)
FROM generate_series(1, ${SHOP_ROWS.payments}) AS n;

ANALYZE;
`
