-- what: A scalar subquery in WHERE: only rows above it.
-- compare: rows
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id FROM trades WHERE qty > (SELECT MAX(qty) FROM trades WHERE side = 'S');
