-- what: RANGE of half a second over all rows.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, usr, COUNT(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '0.5' SECOND PRECEDING AND CURRENT ROW) AS n FROM clicks;
