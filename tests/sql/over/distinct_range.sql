-- what: DISTINCT aggregates over a RANGE.
-- compare: rows
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, sym, COUNT(DISTINCT side) OVER w AS c, SUM(DISTINCT qty) OVER w AS s, COUNT(*) OVER w AS n FROM trades WINDOW w AS (PARTITION BY sym ORDER BY ts RANGE BETWEEN INTERVAL '12' SECOND PRECEDING AND CURRENT ROW);
