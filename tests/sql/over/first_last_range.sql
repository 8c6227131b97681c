-- what: FIRST_VALUE and LAST_VALUE skip NULLs, and are NULL when no value is left.
-- compare: rows
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, sym, FIRST_VALUE(px) OVER w AS f, LAST_VALUE(px) OVER w AS l, FIRST_VALUE(qty) OVER w AS fq, LAST_VALUE(qty) OVER w AS lq FROM trades WINDOW w AS (PARTITION BY sym ORDER BY ts RANGE BETWEEN INTERVAL '8' SECOND PRECEDING AND CURRENT ROW);
