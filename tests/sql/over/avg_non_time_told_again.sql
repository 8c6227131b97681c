-- what: Over an ordinary column, an AVG that stays is told again when what it is made of changed.
-- compare: changelog
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, sym, qty, AVG(qty) OVER (PARTITION BY sym ORDER BY qty) AS s, MIN(qty) OVER (PARTITION BY sym ORDER BY qty) AS m FROM trades WHERE id < 14;
