-- what: LAST in FIRST.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY sym ORDER BY ts MEASURES FIRST(LAST(A.price)) AS s PATTERN (A+ B) DEFINE A AS A.price < 10);
