-- what: ROW_NUMBER without ORDER BY.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ROW_NUMBER() OVER (PARTITION BY usr) AS p FROM clicks;
