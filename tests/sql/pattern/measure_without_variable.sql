-- what: Names without variable in MEASURES: the rows of all variables.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY sym ORDER BY ts MEASURES id AS i, LAST(id, 1) AS l1, FIRST(id) AS f, A.id AS a AFTER MATCH SKIP PAST LAST ROW PATTERN (A+ B) DEFINE A AS A.price < 10);
