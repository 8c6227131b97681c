-- what: LAG of text with defaults.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, LAG(page, 3, 'none') OVER (PARTITION BY usr ORDER BY ts) AS l, LAG(page, 1, CAST(NULL AS STRING)) OVER (PARTITION BY usr ORDER BY ts) AS m FROM clicks;
