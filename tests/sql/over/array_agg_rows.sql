-- what: ARRAY_AGG over a bounded frame.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ARRAY_AGG(page) OVER (PARTITION BY usr ORDER BY ts ROWS 2 PRECEDING) AS l FROM clicks;
