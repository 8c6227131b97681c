-- what: FIRST_VALUE and LAST_VALUE over all rows so far.
-- compare: rows
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, sym, FIRST_VALUE(px) OVER w AS f, LAST_VALUE(side) OVER w AS l FROM trades WINDOW w AS (PARTITION BY sym ORDER BY ts);
