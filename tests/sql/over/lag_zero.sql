-- what: LAG by 0 is the row itself, or the last of equal time.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, LAG(id, 0) OVER (PARTITION BY usr ORDER BY ts) AS l FROM clicks;
