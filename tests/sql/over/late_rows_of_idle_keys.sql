-- what: RANGE: a key that was idle for long takes rows that are late for the stream.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, usr, COUNT(*) OVER (PARTITION BY page ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW) AS l FROM clicks;
