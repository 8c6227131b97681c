-- what: ROW_NUMBER and a SUM over the same rows.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ROW_NUMBER() OVER (PARTITION BY usr ORDER BY ts) AS rn, SUM(id) OVER (PARTITION BY usr ORDER BY ts ROWS UNBOUNDED PRECEDING) AS q FROM clicks;
