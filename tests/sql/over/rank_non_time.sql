-- what: RANK and DENSE_RANK by an ordinary column.
-- compare: changelog
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, sym, qty, RANK() OVER (PARTITION BY sym ORDER BY qty) AS r, DENSE_RANK() OVER (PARTITION BY sym ORDER BY qty) AS d FROM trades WHERE id < 18;
