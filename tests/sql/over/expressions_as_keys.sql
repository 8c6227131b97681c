-- what: Expressions as keys and arguments.
-- compare: rows
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, SUM(qty * 2 + 1) OVER (PARTITION BY SUBSTRING(sym, 1, 1), MOD(id, 2) ORDER BY ts ROWS 3 PRECEDING) AS n FROM trades;
