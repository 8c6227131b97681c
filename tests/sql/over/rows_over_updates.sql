-- what: ROWS over input that changes; ROW_NUMBER beside.
-- compare: changelog
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT sym, n, SUM(n) OVER (ORDER BY n ROWS UNBOUNDED PRECEDING) AS s, ROW_NUMBER() OVER (ORDER BY n) AS rn FROM (SELECT sym, COUNT(*) AS n FROM trades WHERE id < 14 GROUP BY sym) AS x;
