-- what: A json sink takes insertions only.
-- compare: changelog
CREATE TABLE s (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${OUT}/t','format'='json');
INSERT INTO t SELECT * FROM s;
