-- what: Debezium below payload; a snapshot row is an insertion.
-- compare: changelog
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/debezium_schema.json','format'='debezium-json','debezium-json.schema-include'='true');
SELECT v, k FROM t;
