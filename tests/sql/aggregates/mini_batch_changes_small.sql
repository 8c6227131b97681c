-- what: Small bundles of changes.
-- compare: rows
SET 'table.exec.mini-batch.enabled' = 'true'; SET 'table.exec.mini-batch.allow-latency' = '1 h'; SET 'table.exec.mini-batch.size' = '2';
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT k, COUNT(*) AS n, SUM(v) AS s FROM cdc GROUP BY k;
