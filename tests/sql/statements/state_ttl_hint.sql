-- what: The STATE_TTL hint.
-- compare: changelog
CREATE TABLE orders (id INT, k STRING, p STRING, amt DECIMAL(10,2), qty INT, ts TIMESTAMP(3)) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT /*+ STATE_TTL('o' = '1 d') */ k, MAX(qty) AS m FROM orders AS o GROUP BY k;
