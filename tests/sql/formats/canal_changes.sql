-- what: Canal: arrays of rows, old values of changed fields only; a table's creation is no row.
-- compare: changelog
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/canal.json','format'='canal-json','canal-json.table.include'='items','canal-json.database.include'='sh.*');
SELECT * FROM t;
