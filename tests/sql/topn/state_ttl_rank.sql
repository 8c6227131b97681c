-- what: Top-N with state.ttl.
-- compare: changelog
SET 'table.exec.state.ttl' = '1 d';
CREATE TABLE orders (id INT, k STRING, p STRING, amt DECIMAL(10,2), qty INT, ts TIMESTAMP(3)) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, k, qty FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY qty DESC) AS rn FROM orders) WHERE rn <= 2;
