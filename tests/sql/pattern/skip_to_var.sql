-- what: SKIP TO a variable is to its last row.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY sym ORDER BY ts MEASURES A.id AS a, C.id AS c AFTER MATCH SKIP TO B PATTERN (A B+ C) DEFINE B AS B.price < 10, C AS C.price >= 8);
