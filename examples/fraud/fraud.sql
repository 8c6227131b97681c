-- Card payments, decided one by one: what card and merchant did in the last minute, five minutes, hour and day, and a rule over it.
-- Amounts are in cents.
CREATE TABLE payments (
  card     BIGINT NOT NULL,
  merchant INT NOT NULL,
  amount   BIGINT NOT NULL,
  ts       TIMESTAMP(3) NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'push');

SELECT
  card_n_1m, card_sum_1m, card_max_1m, card_merchants_1m,
  card_n_5m, card_sum_5m, card_max_5m, card_merchants_5m,
  card_n_1h, card_sum_1h, card_max_1h, card_merchants_1h,
  card_n_24h, card_sum_24h, card_max_24h, card_merchants_24h,
  shop_n_1m, shop_sum_1m, shop_max_1m,
  shop_n_5m, shop_sum_5m, shop_max_5m,
  shop_n_1h, shop_sum_1h, shop_max_1h,
  shop_n_24h, shop_sum_24h, shop_max_24h,
  CASE
    WHEN card_merchants_1m >= 4 THEN 'CARD AT MANY SHOPS'
    WHEN card_n_5m >= 8 THEN 'CARD USED OFTEN'
    WHEN card_n_24h > 3 AND card_sum_5m * 2 > card_sum_24h AND card_sum_5m > 200000 THEN 'SUDDEN SPENDING'
    WHEN amount = shop_max_24h AND amount * shop_n_24h > shop_sum_24h * 20 THEN 'SHOP NEVER SELLS THIS'
  END AS reason
FROM (
  SELECT *,
    COUNT(*) OVER shop_1m AS shop_n_1m, SUM(amount) OVER shop_1m AS shop_sum_1m, MAX(amount) OVER shop_1m AS shop_max_1m,
    COUNT(*) OVER shop_5m AS shop_n_5m, SUM(amount) OVER shop_5m AS shop_sum_5m, MAX(amount) OVER shop_5m AS shop_max_5m,
    COUNT(*) OVER shop_1h AS shop_n_1h, SUM(amount) OVER shop_1h AS shop_sum_1h, MAX(amount) OVER shop_1h AS shop_max_1h,
    COUNT(*) OVER shop_24h AS shop_n_24h, SUM(amount) OVER shop_24h AS shop_sum_24h, MAX(amount) OVER shop_24h AS shop_max_24h
  FROM (
    SELECT merchant, amount, ts,
      COUNT(*) OVER card_1m AS card_n_1m, SUM(amount) OVER card_1m AS card_sum_1m, MAX(amount) OVER card_1m AS card_max_1m,
      COUNT(DISTINCT merchant) OVER card_1m AS card_merchants_1m,
      COUNT(*) OVER card_5m AS card_n_5m, SUM(amount) OVER card_5m AS card_sum_5m, MAX(amount) OVER card_5m AS card_max_5m,
      COUNT(DISTINCT merchant) OVER card_5m AS card_merchants_5m,
      COUNT(*) OVER card_1h AS card_n_1h, SUM(amount) OVER card_1h AS card_sum_1h, MAX(amount) OVER card_1h AS card_max_1h,
      COUNT(DISTINCT merchant) OVER card_1h AS card_merchants_1h,
      COUNT(*) OVER card_24h AS card_n_24h, SUM(amount) OVER card_24h AS card_sum_24h, MAX(amount) OVER card_24h AS card_max_24h,
      COUNT(DISTINCT merchant) OVER card_24h AS card_merchants_24h
    FROM payments
    WINDOW
      card_1m AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW),
      card_5m AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '5' MINUTE PRECEDING AND CURRENT ROW),
      card_1h AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW),
      card_24h AS (PARTITION BY card ORDER BY ts RANGE BETWEEN INTERVAL '24' HOUR PRECEDING AND CURRENT ROW)
  )
  WINDOW
    shop_1m AS (PARTITION BY merchant ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW),
    shop_5m AS (PARTITION BY merchant ORDER BY ts RANGE BETWEEN INTERVAL '5' MINUTE PRECEDING AND CURRENT ROW),
    shop_1h AS (PARTITION BY merchant ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW),
    shop_24h AS (PARTITION BY merchant ORDER BY ts RANGE BETWEEN INTERVAL '24' HOUR PRECEDING AND CURRENT ROW)
);
