-- what: A Debezium sink writes no schema.
-- compare: changelog
CREATE TABLE s (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${OUT}/t','format'='debezium-json','debezium-json.schema-include'='true');
INSERT INTO t SELECT * FROM s;
