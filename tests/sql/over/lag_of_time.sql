-- what: LAG and MAX of the time attribute.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, LAG(ts) OVER (PARTITION BY usr ORDER BY ts) AS l, MAX(ts) OVER (PARTITION BY usr ORDER BY ts) AS m FROM clicks;
