-- what: INTERSECT with state.ttl.
-- compare: rows
SET 'table.exec.state.ttl' = '1 d';
CREATE TABLE orders (id INT, k STRING, p STRING, amt DECIMAL(10,2), qty INT, ts TIMESTAMP(3)) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT k FROM orders INTERSECT SELECT k FROM orders WHERE qty > 3;
