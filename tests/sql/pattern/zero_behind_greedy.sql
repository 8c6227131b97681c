-- what: A quantifier {0,2} behind a greedy one: what the first could take, nothing behind it does.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY sym ORDER BY ts MEASURES A.id AS a, COUNT(B.id) AS nb, C.id AS c AFTER MATCH SKIP PAST LAST ROW PATTERN (A+ B{0,2} C) DEFINE A AS A.price < 9, B AS B.price < 11, C AS C.price > 6);
