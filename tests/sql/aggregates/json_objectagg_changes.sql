-- what: JSON_OBJECTAGG: order of keys, repeated keys, NULL values, over a changing input.
-- compare: changelog
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT JSON_OBJECTAGG(KEY CAST(id AS STRING) VALUE v ABSENT ON NULL) AS a, JSON_ARRAYAGG(v NULL ON NULL) AS b, JSON_OBJECTAGG(COALESCE(k, 'none') VALUE k) AS c FROM cdc;
