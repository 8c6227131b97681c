-- what: A TINYINT sum wraps, and comes back when rows leave.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, SUM(CAST(id * 10 AS TINYINT)) OVER (PARTITION BY usr ORDER BY ts ROWS 2 PRECEDING) AS s FROM clicks WHERE id < 13;
