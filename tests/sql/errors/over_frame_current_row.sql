-- what: A frame of the current row alone.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, SUM(id) OVER (PARTITION BY usr ORDER BY ts ROWS BETWEEN CURRENT ROW AND CURRENT ROW) AS p FROM clicks;
