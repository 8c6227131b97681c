-- what: SUM and AVG of DOUBLE and FLOAT: what leaves is subtracted, then the row is added.
-- compare: rows
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, SUM(CAST(px AS DOUBLE) / 3) OVER w AS s, AVG(CAST(px AS DOUBLE) / 7) OVER w AS a, SUM(CAST(px AS FLOAT) / 3) OVER w AS f FROM trades WINDOW w AS (PARTITION BY sym ORDER BY ts ROWS 2 PRECEDING);
