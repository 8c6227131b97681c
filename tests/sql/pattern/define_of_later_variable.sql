-- what: A condition that reads a variable behind it: NULL.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY sym ORDER BY ts MEASURES A.id AS a, B.id AS b PATTERN (A B) DEFINE A AS A.price > B.price OR B.price IS NULL);
