-- what: Debezium: a message without its row ends the job.
-- compare: changelog
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/debezium_bad.json','format'='debezium-json');
SELECT * FROM t;
