-- what: Two windows of one name.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, SUM(id) OVER w AS s FROM clicks WINDOW w AS (ORDER BY ts), w AS (ORDER BY ts);
