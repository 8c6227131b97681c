-- what: A scalar subquery in the select list of a grouped query.
-- compare: rows
CREATE TABLE trades (id INT, sym STRING, side STRING, px DECIMAL(10,2), qty INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector'='filesystem','path'='${DATA}/trades.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT sym, SUM(qty) AS q, (SELECT COUNT(*) FROM dept) AS n FROM trades GROUP BY sym;
