-- what: Maxwell: a field that stands in old as null was null.
-- compare: changelog
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/maxwell.json','format'='maxwell-json');
SELECT * FROM t;
