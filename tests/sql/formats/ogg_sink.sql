-- what: A changing result written as ogg-json: an update is a deletion and an insertion.
-- compare: changelog
CREATE TABLE s (id INT, k STRING, v INT) WITH ('connector'='filesystem','path'='${DATA}/cdc.json','format'='debezium-json');
CREATE TABLE t (k STRING, n BIGINT, x DECIMAL(5,1)) WITH ('connector'='filesystem','path'='${OUT}/t','format'='ogg-json');
INSERT INTO t SELECT k, COUNT(*), CAST(SUM(v) AS DECIMAL(5,1)) FROM s GROUP BY k;
