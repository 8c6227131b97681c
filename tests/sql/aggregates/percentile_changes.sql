-- what: PERCENTILE: exact, several at once, over a changing input.
-- compare: rows
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT k, PERCENTILE(v, 0.5) AS p, PERCENTILE(v, ARRAY[0.0, 0.25, 1.0]) AS q FROM cdc GROUP BY k;
