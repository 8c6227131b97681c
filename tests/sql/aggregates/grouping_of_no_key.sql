-- what: GROUPING of a column that is no key.
-- compare: rows
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT k, GROUPING(v) AS g, COUNT(*) AS n FROM cdc GROUP BY k;
