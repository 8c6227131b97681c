-- what: Debezium without NULL fields.
-- compare: changelog
CREATE TABLE s (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${OUT}/t','format'='debezium-json','debezium-json.encode.ignore-null-fields'='true');
INSERT INTO t SELECT * FROM s;
