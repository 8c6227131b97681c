-- what: The STATE_TTL hint of a view.
-- compare: changelog
CREATE TABLE orders (id INT, k STRING, p STRING, amt DECIMAL(10,2), qty INT, ts TIMESTAMP(3)) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a'); CREATE TEMPORARY VIEW v AS SELECT k, qty FROM orders;
SELECT /*+ STATE_TTL('v' = '1 d') */ k, MAX(qty) AS m FROM v GROUP BY k;
