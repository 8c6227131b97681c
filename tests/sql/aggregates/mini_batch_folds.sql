-- what: With mini-batches a key's updates are folded: one change a key when the input ends.
-- compare: rows
SET 'table.exec.mini-batch.enabled' = 'true'; SET 'table.exec.mini-batch.allow-latency' = '1 h'; SET 'table.exec.mini-batch.size' = '5000';
CREATE TABLE orders (id INT, k STRING, p STRING, amt DECIMAL(10,2), qty INT, ts TIMESTAMP(3)) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT k, COUNT(*) AS n, SUM(qty) AS s, MAX(amt) AS hi FROM orders GROUP BY k;
