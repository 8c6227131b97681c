-- what: Mini-batches over changes: a group that comes and goes in a bundle is not told.
-- compare: rows
SET 'table.exec.mini-batch.enabled' = 'true'; SET 'table.exec.mini-batch.allow-latency' = '1 h'; SET 'table.exec.mini-batch.size' = '1000';
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT k, COUNT(*) AS n, MAX(v) AS hi FROM cdc GROUP BY k;
