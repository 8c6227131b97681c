-- what: MIN and MAX of text in a frame.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, MIN(page) OVER w AS lo, MAX(page) OVER w AS hi, COUNT(DISTINCT page) OVER w AS d FROM clicks WINDOW w AS (PARTITION BY usr ORDER BY ts ROWS 2 PRECEDING);
