-- what: LAG where rows of a key have equal times: all of them see the row before the last.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, usr, LAG(page) OVER (PARTITION BY usr ORDER BY ts) AS p, LAG(id, 2) OVER (PARTITION BY usr ORDER BY ts) AS q FROM clicks;
