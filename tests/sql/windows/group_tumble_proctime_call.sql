-- what: TUMBLE over PROCTIME() in GROUP BY.
-- compare: changelog
CREATE TABLE orders (id INT, k STRING, p STRING, amt DECIMAL(10,2), qty INT, ts TIMESTAMP(3)) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT k, COUNT(*) AS n FROM orders GROUP BY k, TUMBLE(PROCTIME(), INTERVAL '1' HOUR);
