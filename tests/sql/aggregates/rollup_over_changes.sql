-- what: Grouping sets over a filter, distinct and filtered aggregates, over a changing input.
-- compare: changelog
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT k, COUNT(DISTINCT v) AS d, MAX(v) FILTER (WHERE id > 1) AS m FROM cdc WHERE id <> 4 GROUP BY ROLLUP (k);
