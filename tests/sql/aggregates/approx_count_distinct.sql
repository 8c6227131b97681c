-- what: APPROX_COUNT_DISTINCT without windows.
-- compare: rows
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT APPROX_COUNT_DISTINCT(v) AS p FROM cdc;
