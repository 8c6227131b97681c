-- what: OVER over input de-duplicated to the first row of each key.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, usr, COUNT(*) OVER (PARTITION BY usr ORDER BY ts ROWS 1 PRECEDING) AS n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY usr, page ORDER BY ts) AS rn FROM clicks) AS x WHERE rn = 1;
