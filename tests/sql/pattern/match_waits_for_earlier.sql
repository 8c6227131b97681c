-- what: A complete match waits until no partial one began before it; MATCH_ROWTIME is when it is told.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (ORDER BY ts MEASURES A.id AS a, C.id AS c, MATCH_ROWTIME() AS rt AFTER MATCH SKIP TO NEXT ROW PATTERN (A B*? C) DEFINE B AS B.price < 11, C AS C.price > A.price + 2);
