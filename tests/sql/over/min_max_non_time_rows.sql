-- what: MIN and MAX by an ordinary column, ROWS.
-- compare: changelog
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, sym, qty, MIN(px) OVER (PARTITION BY sym ORDER BY qty ROWS UNBOUNDED PRECEDING) AS s, MAX(px) OVER (PARTITION BY sym ORDER BY qty ROWS UNBOUNDED PRECEDING) AS m FROM trades WHERE id < 24;
