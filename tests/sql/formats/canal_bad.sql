-- what: Canal: a value that cannot be read ends the job.
-- compare: changelog
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/canal.json','format'='canal-json');
SELECT * FROM t;
