-- what: OVER inside expressions.
-- compare: rows
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, qty - AVG(qty) OVER w AS d, CASE WHEN COUNT(*) OVER w > 2 THEN 'many' ELSE 'few' END AS c, COALESCE(SUM(qty) OVER w, 0) AS s FROM trades WINDOW w AS (PARTITION BY sym ORDER BY ts ROWS 2 PRECEDING);
