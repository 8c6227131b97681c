-- what: RUNNING and FINAL in MEASURES.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY sym ORDER BY ts MEASURES RUNNING LAST(A.id) AS a, FINAL LAST(B.id) AS b PATTERN (A B) DEFINE B AS B.price > 3);
