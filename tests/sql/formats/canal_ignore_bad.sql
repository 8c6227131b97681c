-- what: Canal: values that cannot be read become NULL.
-- compare: changelog
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/canal.json','format'='canal-json','canal-json.ignore-parse-errors'='true');
SELECT * FROM t;
