-- Readings of sensors beside what each of them has shown in its last hundred readings and its last minute.
CREATE TABLE readings (
  sensor INT NOT NULL,
  degree DOUBLE NOT NULL,
  ts     TIMESTAMP(3) NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'push');

SELECT sensor, degree, mean, deviation, lowest, highest,
  readings >= 30 AND ABS(degree - mean) > 4 * deviation AS alert
FROM (
  SELECT sensor, degree,
    COUNT(*) OVER rows_100 AS readings,
    AVG(degree) OVER rows_100 AS mean,
    STDDEV_POP(degree) OVER rows_100 AS deviation,
    MIN(degree) OVER minute_1 AS lowest,
    MAX(degree) OVER minute_1 AS highest
  FROM readings
  WINDOW
    rows_100 AS (PARTITION BY sensor ORDER BY ts ROWS BETWEEN 99 PRECEDING AND CURRENT ROW),
    minute_1 AS (PARTITION BY sensor ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW)
);
