-- what: RANGE without BETWEEN; a row that is late for the stream but not for its key.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, SUM(id) OVER (PARTITION BY usr ORDER BY ts RANGE INTERVAL '3' SECOND PRECEDING) AS p FROM clicks;
