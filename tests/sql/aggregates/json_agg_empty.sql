-- what: JSON aggregates over no rows.
-- compare: changelog
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT JSON_OBJECTAGG(k VALUE v) AS a, JSON_ARRAYAGG(v) AS b FROM cdc WHERE id > 100;
