-- what: Retractions with table.exec.state.ttl.
-- compare: changelog
SET 'table.exec.state.ttl' = '1 d';
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT k, COUNT(*) AS n, MAX(v) AS hi FROM cdc GROUP BY k;
