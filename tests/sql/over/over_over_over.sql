-- what: OVER over OVER: the time attribute goes through.
-- compare: rows
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, s, COUNT(*) OVER (PARTITION BY side ORDER BY ts ROWS 4 PRECEDING) AS c FROM (SELECT id, side, ts, SUM(qty) OVER (PARTITION BY sym ORDER BY ts ROWS 2 PRECEDING) AS s FROM trades) AS x;
