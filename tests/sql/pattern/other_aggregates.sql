-- what: LISTAGG, LAST_VALUE and STDDEV_POP of the rows of a variable.
-- compare: rows
CREATE TABLE ticks (id INT, sym STRING, price INT, vol INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='${DATA}/ticks.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY sym ORDER BY ts MEASURES LISTAGG(A.sym) AS x, LAST_VALUE(A.id) AS y, STDDEV_POP(A.price) AS z AFTER MATCH SKIP PAST LAST ROW PATTERN (A+ B) DEFINE A AS A.price < 10);
