-- what: Of several matches with the same first row one is told: SKIP PAST LAST ROW, a reluctant star and a reluctant count.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (ORDER BY ts MEASURES A.id AS a, COUNT(B.id) AS b, COUNT(C.id) AS c, D.id AS d AFTER MATCH SKIP PAST LAST ROW PATTERN (A B*? C{1,3}? D) DEFINE A AS A.price > 5, B AS B.vol > 2, D AS D.price > 9);
