-- what: Grouping sets are taken in a fixed order, whatever order they are written in; a set twice.
-- compare: changelog
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT k, v, COUNT(*) AS n, GROUPING(v) AS g, GROUPING_ID(v, k) AS gi FROM cdc GROUP BY GROUPING SETS ((), (v), (k, v), (k));
