-- Card payments: one row for each card and minute that looks like a stolen card.
-- Runs unchanged on Apache Flink (from the folder that holds `examples`).

CREATE TABLE payments (
  id       BIGINT,
  card     STRING,
  merchant STRING,
  category STRING,
  country  STRING,
  amount   DECIMAL(10, 2),
  ts       TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/payments.csv',
  'format' = 'csv'
);

SELECT
  card,
  window_start            AS since,
  COUNT(*)                AS payments,
  COUNT(DISTINCT country) AS countries,
  SUM(amount)             AS total,
  MAX(amount)             AS largest
FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY card, window_start, window_end
HAVING COUNT(*) >= 4 OR (COUNT(DISTINCT country) >= 2 AND SUM(amount) > 500);
