-- what: MIN and MAX over input that changes.
-- compare: changelog
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT sym, n, MIN(n) OVER (ORDER BY sym) AS s, MAX(n) OVER (ORDER BY sym) AS m FROM (SELECT sym, COUNT(*) AS n FROM trades WHERE id < 20 GROUP BY sym) AS x;
