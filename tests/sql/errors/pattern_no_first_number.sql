-- what: A quantifier {,2}.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY sym ORDER BY ts MEASURES A.id AS a, COUNT(B.id) AS nb AFTER MATCH SKIP PAST LAST ROW PATTERN (A B{,2} C) DEFINE B AS B.price < 10);
