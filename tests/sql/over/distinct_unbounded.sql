-- what: COUNT(DISTINCT) over all rows so far.
-- compare: rows
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, sym, COUNT(DISTINCT qty) OVER w AS c FROM trades WINDOW w AS (PARTITION BY side ORDER BY ts);
