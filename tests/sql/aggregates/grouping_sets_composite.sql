-- what: ROLLUP and CUBE beside plain keys, composite elements, HAVING on GROUPING; keys that are aggregated too.
-- compare: rows
CREATE TABLE b (id INT NOT NULL, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, s, id, COUNT(*) AS n, MAX(s) AS ms, SUM(id) AS si FROM b GROUP BY k, ROLLUP ((s, id)), CUBE (k) HAVING GROUPING(id) = 1 OR id < 5;
