-- what: ROWS over an ordinary column: rows of equal value are counted one by one.
-- compare: changelog
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, sym, qty, SUM(qty) OVER (PARTITION BY sym ORDER BY qty ROWS UNBOUNDED PRECEDING) AS s, COUNT(*) OVER (PARTITION BY sym ORDER BY qty ROWS UNBOUNDED PRECEDING) AS n FROM trades WHERE id < 14;
