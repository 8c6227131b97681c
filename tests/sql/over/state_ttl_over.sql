-- what: OVER with state.ttl.
-- compare: rows
SET 'table.exec.state.ttl' = '1 d';
CREATE TABLE orders (id INT, k STRING, p STRING, amt DECIMAL(10,2), qty INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '10' SECOND) WITH ('connector'='filesystem','path'='${DATA}/orders.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, k, SUM(qty) OVER (PARTITION BY k ORDER BY ts) AS s FROM orders;
