-- what: Debezium: bad fields become NULL, bad messages are skipped.
-- compare: changelog
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/debezium_bad.json','format'='debezium-json','debezium-json.ignore-parse-errors'='true');
SELECT * FROM t;
