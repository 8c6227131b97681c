-- what: RANK and DENSE_RANK by row time count the rows up to those of equal time.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, usr, RANK() OVER (PARTITION BY usr ORDER BY ts) AS r, DENSE_RANK() OVER (PARTITION BY usr ORDER BY ts) AS d FROM clicks;
