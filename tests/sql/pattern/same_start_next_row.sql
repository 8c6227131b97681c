-- what: Of several matches with the same first row one is told: SKIP TO NEXT ROW, two reluctant variables.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (ORDER BY ts MEASURES A.id AS a, COUNT(B.id) AS b, COUNT(C.id) AS c, D.id AS d AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+? C+? D) DEFINE D AS D.price > 8);
