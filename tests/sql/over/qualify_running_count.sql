-- what: QUALIFY by a running count.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, usr, page FROM clicks QUALIFY COUNT(*) OVER (PARTITION BY usr ORDER BY ts) = 3;
