-- name: current instants
SELECT now(), current_timestamp, current_date, localtimestamp, localtime, transaction_timestamp(), statement_timestamp()
-- name: clock_timestamp
SELECT clock_timestamp() >= now(), timeofday() IS NOT NULL
-- name: date_trunc and extract
SELECT date_trunc('week', placed_at), extract(epoch FROM placed_at), date_part('isodow', placed_at) FROM orders LIMIT 3
-- name: date_trunc with a zone
SELECT date_trunc('day', placed_at, 'Europe/Berlin') FROM orders LIMIT 3
-- name: date_bin
SELECT date_bin('15 minutes', read_at, timestamptz '2026-06-01'), avg(value) FROM sensor_readings GROUP BY 1 ORDER BY 1 LIMIT 10
-- name: AT TIME ZONE
SELECT placed_at AT TIME ZONE 'America/New_York', placed_at AT LOCAL FROM orders LIMIT 3
-- name: interval arithmetic
SELECT placed_at + interval '1 month 2 days', age(shipped_at, placed_at), shipped_at - placed_at, justify_hours(interval '50 hours') FROM orders WHERE shipped_at IS NOT NULL LIMIT 3
-- name: date arithmetic
SELECT date '2026-05-01' - date '2026-01-01', date '2026-05-01' + 7, make_timestamptz(2026, 5, 1, 10, 0, 0, 'UTC')
-- name: to_char of an interval
SELECT to_char(interval '3 hours 5 minutes', 'HH24:MI'), isfinite(date 'infinity')
-- name: date_add with a zone
SELECT date_add(timestamptz '2026-03-28 12:00+01', '1 day', 'Europe/Berlin'), date_subtract(timestamptz '2026-03-29 12:00+02', '1 day', 'Europe/Berlin')
-- name: orders of the last thirty days
SELECT count(*) FROM orders WHERE placed_at > now() - interval '30 days'
-- name: generate_series with a zone
SELECT generate_series(timestamptz '2026-03-28', timestamptz '2026-03-30', '1 day', 'Europe/Berlin')
-- name: time zone names
SELECT count(*) FROM pg_timezone_names WHERE name LIKE 'Europe/%'
-- name: arithmetic
SELECT 7 / 2, 7 % 2, 7.0 / 2, 2 ^ 10, |/ 16, ||/ 27, @ -5, 6 # 3, ~1, 1 << 3, mod(7, 3), div(7, 2)
-- name: rounding
SELECT round(2.345, 2), ceil(1.2), floor(-1.2), trunc(9.99, 1), sign(-3), abs(-4), scale(1.230), trim_scale(1.230)
-- name: logarithms and trigonometry
SELECT ln(10), log(100), log(2, 8), exp(1), power(2, 8), sqrt(2), pi(), degrees(pi()), sin(1), cosd(60), atan2(1, 2), erf(0.5), gamma(5)
-- name: gcd, lcm, factorial
SELECT gcd(12, 18), lcm(4, 6), factorial(6), min_scale(1.500), width_bucket(5, ARRAY[1, 4, 9])
-- name: numeric extremes
SELECT 'NaN'::numeric, 'Infinity'::float8, (-9223372036854775808)::bigint, 1e400::numeric IS NOT NULL
-- name: random numbers
SELECT random() BETWEEN 0 AND 1, random(1, 6) BETWEEN 1 AND 6, random_normal() IS NOT NULL
-- name: random order
SELECT id FROM products ORDER BY random() LIMIT 3
-- name: random identifiers
SELECT gen_random_uuid() IS NOT NULL, uuidv7() IS NOT NULL, uuidv4() IS NOT NULL
-- name: hashing for sampling
SELECT count(*) FROM customers WHERE abs(hashtext(email::text)) % 10 = 0
-- name: hash of a row
SELECT hash_record_extended(c, 0) FROM countries c LIMIT 2
-- name: checksums
SELECT crc32('abc'::bytea), crc32c('abc'::bytea), md5(string_agg(id::text, ',' ORDER BY id)) FROM orders
-- name: network addresses
SELECT host(address), network(set_masklen(address, 24)), address << inet '10.0.0.0/16', family(address) FROM deliveries LIMIT 3
-- name: mac addresses
SELECT macaddr '08:00:2b:01:02:03', trunc(macaddr '08:00:2b:01:02:03')
-- name: geometry
SELECT area(parcel_size), center(parcel_size), parcel_size && box '((1,1),(2,2))', desk <-> point '(0,0)' FROM deliveries, employees LIMIT 3
-- name: geometric operators
SELECT circle '((0,0),2)' @> point '(1,1)', lseg '((0,0),(1,1))' ?# lseg '((0,1),(1,0))', path '((0,0),(1,1))' IS NOT NULL
-- name: cast of a record to text
SELECT (1, 'a', NULL)::text, ROW(1, 2) = ROW(1, 2)
-- name: to_bin and to_oct
SELECT to_bin(10), to_oct(10), to_hex(255::bigint)
-- name: pg_typeof and casts
SELECT pg_typeof(1.5), pg_typeof(now()), pg_column_size(repeat('x', 100)), num_nulls(1, NULL), num_nonnulls(1, NULL)
-- name: input checks
SELECT pg_input_is_valid('12x', 'integer'), (pg_input_error_info('12x', 'integer')).message
