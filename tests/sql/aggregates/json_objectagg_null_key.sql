-- what: A NULL key of JSON_OBJECTAGG ends the job.
-- compare: rows
CREATE TABLE cdc (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
SELECT JSON_OBJECTAGG(k VALUE v) AS a FROM cdc;
