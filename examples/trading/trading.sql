-- Ticks to bars of a minute with their VWAP, moving averages over the bars, and a signal where they cross.
CREATE TABLE ticks (
  symbol STRING NOT NULL,
  price  DOUBLE NOT NULL,
  size   BIGINT NOT NULL,
  ts     TIMESTAMP(3) NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'push');

CREATE VIEW bars AS
SELECT symbol, window_start AS bar, window_time AS bar_time,
  FIRST_VALUE(price) AS opened, MAX(price) AS high, MIN(price) AS low, LAST_VALUE(price) AS closed,
  SUM(size) AS volume, SUM(price * size) / SUM(size) AS vwap
FROM TUMBLE(TABLE ticks, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY symbol, window_start, window_end, window_time;

CREATE VIEW averages AS
SELECT symbol, bar, bar_time, closed, volume, vwap,
  AVG(closed) OVER (PARTITION BY symbol ORDER BY bar_time ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS fast,
  AVG(closed) OVER (PARTITION BY symbol ORDER BY bar_time ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS slow,
  COUNT(*) OVER (PARTITION BY symbol ORDER BY bar_time ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS bars
FROM bars;

SELECT symbol, bar, closed, volume, vwap, fast, slow,
  CASE
    WHEN bars < 10 THEN 'WARMING UP'
    WHEN fast > slow AND was_fast <= was_slow THEN 'BUY'
    WHEN fast < slow AND was_fast >= was_slow THEN 'SELL'
    ELSE 'HOLD'
  END AS signal
FROM (
  SELECT *,
    LAG(fast) OVER (PARTITION BY symbol ORDER BY bar_time) AS was_fast,
    LAG(slow) OVER (PARTITION BY symbol ORDER BY bar_time) AS was_slow
  FROM averages
);
