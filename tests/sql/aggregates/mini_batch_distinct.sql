-- what: DISTINCT and FILTER under mini-batch.
-- compare: rows
SET 'table.exec.mini-batch.enabled' = 'true'; SET 'table.exec.mini-batch.allow-latency' = '1 h'; SET 'table.exec.mini-batch.size' = '1000';
CREATE TABLE orders (id INT, k STRING, p STRING, amt DECIMAL(10,2), qty INT, ts TIMESTAMP(3)) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT k, COUNT(DISTINCT p) AS d, SUM(qty) FILTER (WHERE qty > 2) AS s, LISTAGG(p) AS l FROM orders GROUP BY k;
