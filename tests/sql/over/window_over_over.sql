-- what: A window aggregate over OVER.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT window_start, MAX(n) AS m FROM TABLE(TUMBLE((SELECT ts, COUNT(*) OVER (PARTITION BY usr ORDER BY ts) AS n FROM clicks), DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
