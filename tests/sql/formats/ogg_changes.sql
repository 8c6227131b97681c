-- what: Ogg: operations I, U, D.
-- compare: changelog
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/ogg.json','format'='ogg-json');
SELECT * FROM t;
