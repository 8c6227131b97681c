-- what: A count of updates whose rows leave again.
-- compare: changelog
SET 'table.exec.mini-batch.enabled' = 'true'; SET 'table.exec.mini-batch.allow-latency' = '1 h'; SET 'table.exec.mini-batch.size' = '100';
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT COUNT(*) AS n, SUM(v) AS s FROM cdc WHERE id < 0;
